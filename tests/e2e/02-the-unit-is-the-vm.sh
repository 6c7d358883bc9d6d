#!/usr/bin/env bash
# machines: box host
# systemctl --user and banger are the same act, in any mixture.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run alice banger vm create --name unit
check "create makes it without starting it" state_is alice unit created
run alice systemctl --user start banger-vm@unit
check "systemctl start starts it" status_is 0
check "and banger knows" state_is alice unit running
run alice banger vm exec unit -- sh -c 'cat /proc/sys/kernel/random/boot_id; ip -4 -o addr show eth0'
first=$(head -n 1 <<<"$out")
address=$(grep -o 'inet [0-9.]*' <<<"$out")

run alice banger vm exec unit -- sh -c 'echo written >/root/file; echo written >/etc/file'
run alice systemctl --user stop banger-vm@unit
check "systemctl stop stops it" status_is 0
check "within 15 s" within 15
check "and banger knows" state_is alice unit stopped
run alice getent hosts unit.vm
check "a stopped machine has no name" fails

run alice banger vm start unit
check "vm start starts it again" status_is 0
run alice banger vm exec unit -- sh -c 'cat /proc/sys/kernel/random/boot_id; ip -4 -o addr show eth0'
check "it is another boot" out_lacks "$first"
check "at the same address" out_has "$address"
run alice banger vm exec unit -- cat /root/file /etc/file
check "what was written right before the stop is there" out_is $'written\nwritten'
check "its name answers again" alice getent hosts unit.vm

run alice systemctl --user daemon-reload
run alice banger vm exec unit -- cat /root/file
check "a reload of the user manager leaves it running" out_is written
check "and banger knows" state_is alice unit running

boot_id() { alice timeout 20 banger vm exec unit -- cat /proc/sys/kernel/random/boot_id </dev/null; }
before=$(boot_id)
another_boot() {
    local now
    now=$(boot_id) && [ -n "$now" ] && [ "$now" != "$before" ]
}
run alice banger vm ssh unit -- reboot
check "reboot in the guest boots it again" eventually 90 another_boot
run alice banger vm ssh unit -- poweroff
check "poweroff in the guest ends in stopped" eventually 60 state_is alice unit stopped
run alice systemctl --user is-active banger-vm@unit
check "and in an inactive unit" out_is inactive

run alice banger vm delete unit
check "delete succeeds" status_is 0
check "nothing is left" nothing_left alice unit
