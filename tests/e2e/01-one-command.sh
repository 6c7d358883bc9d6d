#!/usr/bin/env bash
# machines: box host
# The promise: one command gives a machine, and everything a Linux user knows works with it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

alice sh -c 'rm -f monitor; systemd-run --user --quiet --collect --unit=monitor --property=StandardOutput=file:$HOME/monitor \
    busctl --user monitor org.banger.Manager --json=short' </dev/null

run alice banger vm run "${PATIENCE[@]}" --name sandbox -- sh -c 'uname -r; exit 42'
check "vm run exits with the command's status" status_is 42
check "it prints the guest's kernel" out_has '^[0-9]+\.[0-9]+\..*cloud-amd64$'
check "the spec line is on standard error" err_has '^spec: '
check "a machine that outlives its command is announced as running" state_is alice sandbox running

run alice systemctl --user is-active banger-vm@sandbox
check "the unit is active" out_is active
run alice resolvectl query --legend=no sandbox.vm
check "systemd-resolved answers for its name" out_has '^sandbox\.vm: 172\.16\.'
address=$(sed -n 's/^sandbox\.vm: \([0-9.]*\).*/\1/p' <<<"$out")
run alice getent hosts sandbox.vm
check "so does getent" out_has "^$address +sandbox\.vm"
run alice ping -c 1 -W 5 sandbox.vm
check "it answers a ping" status_is 0

run alice banger vm ssh sandbox -- hostname
check "vm ssh opens a session" out_is sandbox
run alice sh -c 'ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
    -i ~/.local/state/banger/ssh/id_ed25519 -o UserKnownHostsFile="$HOME/.local/state/banger/ssh/known_hosts" \
    root@sandbox.vm hostname'
check "plain ssh does too, with the key and the pinned host key" out_is sandbox

run alice banger vm exec sandbox -- cat /etc/os-release
check "exec reads a Debian 12's os-release" out_has 'VERSION_CODENAME=bookworm'
run alice banger vm exec sandbox -- sh -c 'kill -TERM $$'
check "a command killed by a signal shows 128 + its number" status_is 143
run alice sh -c 'printf "one\ntwo" | banger vm exec sandbox -- wc -c'
check "standard input arrives whole" out_is 7
run alice banger vm exec sandbox -- no-such-program
check "a program that is not there is 127" status_is 127

run alice busctl --user introspect org.banger.Manager /org/banger/Manager
check "the API introspects" out_has 'CreateVM +method +sa\{sv\} +o'
run alice banger vm list
check "vm list shows it" out_has '^sandbox +running +debian-bookworm'

run alice banger vm delete sandbox
check "delete succeeds" status_is 0
alice systemctl --user stop monitor </dev/null
run alice sh -c 'cat monitor'
check "a monitor from before saw the job begin" out_has '"member":"JobNew"'
check "and end" out_has '"member":"JobRemoved".*"done"'
check "and the states change" out_has '"PropertiesChanged".*"State":\{"type":"s","data":"running"'
check "nothing is left" nothing_left alice sandbox
