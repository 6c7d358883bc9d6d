#!/usr/bin/env bash
# What a command costs: `vm exec … true` over the guest's own fork and exec, and `vm list` with a running daemon.
# shellcheck source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

exec_bar=30 # ms, over the guest's own
list_bar=30 # ms
count=40
rounds=3

run alice banger vm run --name quick -- true
check "a machine runs" status_is 0
check "and has booted" eventually 300 alice sh -c 'banger vm show quick --json | jq -e .boot_finished'
# A clock of ticks would make every command slow, and the guest's time wrong on a busy machine.
run alice banger vm exec -n quick -- cat /sys/devices/system/clocksource/clocksource0/current_clocksource
check "its clock is no clock of ticks" out_is tsc

# timed HOW-OFTEN COMMAND…: prints the median of so many runs, in ms.
timed() {
    alice bash -c '
        times=()
        for ((i = 0; i < $1; i++)); do
            begin=$EPOCHREALTIME
            "${@:2}" >/dev/null || exit
            times+=($((${EPOCHREALTIME/./} - ${begin/./})))
        done
        printf "%s\n" "${times[@]}" | sort -n | awk "{ v[NR] = \$1 } END { printf \"%.1f\", v[int((NR + 1) / 2)] / 1000 }"' \
        bash "$@" </dev/null
}
# The guest's own fork and exec, in ms: dash starts each /bin/true by itself.
own() {
    alice banger vm exec -n quick -- bash -c '
        begin=$EPOCHREALTIME
        for ((i = 0; i < $1; i++)); do /bin/true; done
        echo "$(((${EPOCHREALTIME/./} - ${begin/./}) / $1))"' bash "$count" </dev/null |
        awk '{ printf "%.1f", $1 / 1000 }'
}
least() { printf '%s\n' "$@" | sort -n | head -n 1; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a <= b) }'; }

overheads=()
lists=()
for ((round = 0; round < rounds; round++)); do
    own=$(own)
    exec=$(timed "$count" banger vm exec -n quick -- /bin/true)
    overheads+=("$(awk -v a="$exec" -v b="$own" 'BEGIN { printf "%.1f", a - b }')")
    lists+=("$(timed 20 banger vm list)")
    echo "# vm exec: $exec ms, the guest's own fork and exec: $own ms; vm list: ${lists[-1]} ms"
done
# The machine may be busy with something else: the best round counts.
check "vm exec costs at most $exec_bar ms over the guest's own" at_most "$(least "${overheads[@]}")" "$exec_bar"
check "vm list costs at most $list_bar ms" at_most "$(least "${lists[@]}")" "$list_bar"

run alice banger vm delete quick
check "nothing is left" nothing_left alice quick
