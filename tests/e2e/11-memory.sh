#!/usr/bin/env bash
# machines: box host
# A guest that wants more memory than it has: its own kernel ends the program; the unit's limit ends the machine.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

glutton() { run alice banger vm exec hungry -- python3 -c 'x = [b"x" * (32 << 20) for _ in range(64)]'; }
limit() { alice systemctl --user show -p MemoryMax --value banger-vm@hungry </dev/null; }
log_has() { alice banger vm logs hungry </dev/null | grep -qE "$1"; }

run alice banger vm create --name hungry --memory 512M --start
check "a machine of 512 MiB starts" status_is 0
usual=$(limit)
check "its unit has a limit above the guest's memory" [ "$usual" -gt $((512 << 20)) ]

# Enforced where cgroups are v2, which the box's may not be.
if [ "$E2E_MACHINE" = host ]; then
    host_boot=$(root cat /proc/sys/kernel/random/boot_id </dev/null)
    daemon=$(alice systemctl --user show -p MainPID --value bangerd </dev/null)
    alice systemctl --user set-property --runtime banger-vm@hungry MemoryMax=400M </dev/null
    glutton
    check "its command fails when the unit's limit is reached" fails
    check "the machine is failed" eventually 20 state_is alice hungry failed
    run alice banger vm show hungry
    check "vm show has the reason and what to do" out_has 'Error: .*memory limit \(MemoryMax=\).*--memory'
    run alice banger vm list -a
    check "vm list shows it" out_has '^hungry +failed'
    run alice systemctl --user is-failed banger-vm@hungry
    check "so does systemd" out_is failed
    check "bangerd is the same" \
        [ "$(alice systemctl --user show -p MainPID --value bangerd </dev/null)" = "$daemon" ]
    check "the host goes on" [ "$(root cat /proc/sys/kernel/random/boot_id </dev/null)" = "$host_boot" ]
    run alice banger vm start hungry
    check "the machine starts again" status_is 0
    check "under its usual limit" [ "$(limit)" = "$usual" ]
fi

glutton
echo "# the guest's kernel took $seconds s to end it"
check "a program that wants more than the guest has is killed" status_is 137
check "the guest's console says why" eventually 10 log_has 'Out of memory: Killed process [0-9]+ \(python3\)'
check "the machine runs on" state_is alice hungry running
run alice banger vm exec hungry -- true
check "and answers" status_is 0
run alice banger vm delete hungry
check "delete succeeds" status_is 0
check "nothing is left" nothing_left alice hungry
