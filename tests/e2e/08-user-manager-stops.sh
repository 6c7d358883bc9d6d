#!/usr/bin/env bash
# When the user manager goes, its machines are shut down, not cut off.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run alice banger vm run --name night -- sh -c 'echo kept >/root/file'
check "a machine runs" status_is 0
uid=$(root id -u alice </dev/null)
run root systemctl stop "user@$uid.service"
check "the user manager stops" status_is 0
run root sh -c 'ip -o tuntap list; pgrep -u alice -f -a "[q]emu-system-|[f]irecracker"'
check "no tap and no VMM is left" out_is ''
root systemctl start "user@$uid.service" </dev/null
check "the machine is stopped, not failed" state_is alice night stopped
run alice banger vm start night
run alice banger vm exec night -- cat /root/file
check "and has lost nothing" out_is kept
run alice banger vm exec night -- sh -c 'journalctl -b -1 -n 50 --no-pager 2>/dev/null || true; dmesg | grep -i "recover" || true'
check "its file systems were unmounted" out_lacks 'recovery complete'
run alice banger vm delete night
check "nothing is left" nothing_left alice
