#!/usr/bin/env bash
# machines: box host
# Whatever is killed, guests and their users lose only what was killed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run alice banger vm run "${PATIENCE[@]}" --name rock -- true
check "a machine runs" status_is 0

size=$((1 << 30))
[ "$E2E_MACHINE" = box ] || size=$((1 << 26))
# A script, because systemd-run expands variables itself.
alice sh -c 'rm -f stream.status; cat >stream.sh' <<END
banger vm exec rock -- sh -c "head -c $size /dev/zero; exit 7" | sha256sum >stream.sum
echo \${PIPESTATUS[0]} >stream.status
END
alice systemd-run --user --quiet --collect --unit=stream --same-dir bash stream.sh </dev/null
sleep 1
alice systemctl --user kill --signal=KILL --kill-whom=main bangerd </dev/null
run alice getent hosts rock.vm
check "the name answers right after kill -9 of bangerd" status_is 0
check "within a second" within 1
check "the stream ends with its exit status" eventually 600 alice test -s stream.status
run alice cat stream.status
check "which is the command's" out_is 7
run alice cat stream.sum
check "and it is whole" out_has "$(head -c "$size" /dev/zero | sha256sum | cut -d' ' -f1)"
run alice banger vm stop rock
check "stop works afterwards" status_is 0
check "the state is right" state_is alice rock stopped

# pid_of PATTERN: alice's process, of the machine that runs
pid_of() { root pgrep -u alice -o -f "$1" </dev/null; }

run alice banger vm start rock
root kill -KILL "$(pid_of '^[^ ]*(qemu-system-x86_64|firecracker) ')" </dev/null
check "kill -9 of the VMM ends in failed" eventually 20 state_is alice rock failed
run alice banger vm show rock --json
check "with the reason" out_has '(QEMU|Firecracker) was killed by SIGKILL'

run alice banger vm start rock
check "it starts again" status_is 0
root kill -KILL "$(pid_of '^[^ ]*banger-vm-supervisor ')" </dev/null
check "kill -9 of the supervisor ends in failed" eventually 20 state_is alice rock failed
run root pgrep -u alice -f -a '[q]emu-system-|[f]irecracker'
check "and the VMM is gone with it" out_is ''

run alice banger vm delete rock
check "delete succeeds" status_is 0
check "nothing is left" nothing_left alice rock
