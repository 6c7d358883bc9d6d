#!/usr/bin/env bash
# BOOTS times: a VM is made, boots, answers, and is deleted. tests/campaigns/300-boots sets the variables.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

boots=${BOOTS:-3}
until=${UNTIL:-agent}
log=${BOOTS_LOG:-/dev/null}
printf 'boot\tagent-ready ms\tlogin-ready ms\tresult\n' >"$log"

# One boot; prints "AGENT LOGIN" in ms, LOGIN being 0 where it was not waited for.
one() {
    timeout 240 "$E2E_FOLDER/../$E2E_MACHINE/$E2E_MACHINE" run -u alice -- bash -c '
        banger vm create --name "$1" --vcpu 1 --memory 512 >&2 || exit
        begin=$EPOCHREALTIME
        since() { echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)); }
        systemctl --user start "banger-vm@$1" || exit
        agent=$(since)
        [ "$(banger vm exec -n "$1" -- sh -c "echo here")" = here ] || exit
        login=0
        if [ "$2" = login ]; then
            banger vm ssh "$1" -- true || exit
            login=$(since)
        fi
        echo "$agent $login"' bash "$1" "$until" </dev/null
}

ready=0
for ((i = 1; i <= boots; i++)); do
    if times=$(one "boot$i" 2>"$E2E_WORK/err") && [ -n "$times" ]; then
        ready=$((ready + 1))
        printf '%d\t%s\t%s\tready\n' "$i" "${times% *}" "${times#* }" >>"$log"
        echo "${times% *} ${times#* }" >>"$E2E_WORK/times"
    else
        printf '%d\t-\t-\tnot ready\n' "$i" >>"$log"
        echo "# boot $i was not ready:"
        {
            cat "$E2E_WORK/err"
            alice journalctl --user -q --no-pager -n 40 -u "banger-vm@boot$i" </dev/null
        } | sed 's/^/#   /'
    fi
    # What matters here is the boot, not a graceful end.
    alice systemctl --user kill --signal=KILL "banger-vm@boot$i" </dev/null 2>/dev/null
    alice banger vm delete "boot$i" </dev/null >/dev/null 2>&1 || echo "# boot $i was not deleted"
    [ $((i % 20)) -ne 0 ] || echo "# $i boots, $ready ready, after $SECONDS s"
done

# summary COLUMN WHAT
summary() {
    awk -v column="$1" '{ print $column }' "$E2E_WORK/times" | sort -n | awk -v what="$2" -v ready="$ready" -v boots="$boots" '
        { v[NR] = $1 }
        END {
            printf "# %d of %d ready, %s: median %.2f s, max %.2f s\n",
                ready, boots, what, v[int((NR + 1) / 2)] / 1000, v[NR] / 1000
        }'
}
touch "$E2E_WORK/times"
check "nothing is left" nothing_left alice
check "every boot was ready" test "$ready" -eq "$boots"
[ "$until" = agent ] || summary 2 "first ssh"
summary 1 "agent-ready"
