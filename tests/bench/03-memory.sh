#!/usr/bin/env bash
# What bangerd and the supervisors hold with ten VMs, of which as many run as the machine has memory for; RUNNING: or less.
# shellcheck source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

bangerd_bar=8192   # KiB of RssAnon
supervisor_bar=4096
vms=10
guest_mib=384

# A guest of this size under software emulation takes up to twice of it.
available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
running=$((available / 2 / (guest_mib * 2)))
for limit in "$vms" "${RUNNING:-$vms}"; do
    [ "$running" -le "$limit" ] || running=$limit
done

# The daemon that has done all this itself.
alice systemctl --user restart bangerd </dev/null
failed=0
for ((i = 1; i <= vms; i++)); do
    run alice banger vm create --name "m$i" --vcpu 1 --memory "$guest_mib"
    failed=$((failed + (status != 0)))
    [ "$i" -le "$running" ] || continue
    run alice systemctl --user start "banger-vm@m$i"
    failed=$((failed + (status != 0)))
    run alice banger vm exec "m$i" -- true
    failed=$((failed + (status != 0)))
done
check "there are $vms machines, $running of them running" test "$failed" -eq 0
run alice banger vm list -a
run alice sh -c "busctl --user tree org.banger.Manager >/dev/null; head -c 67108864 /dev/zero | banger vm exec m1 -- sh -c 'cat >/dev/null'"
check "64 MiB went through one of them" status_is 0

# held PATTERN: RssAnon in KiB of alice's processes, one a line.
held() {
    root sh -c 'for pid in $(pgrep -u alice -f "$1"); do
        sed -n "s/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$pid/status"
    done' sh "$1" </dev/null | sort -n
}
bangerd=$(held '^[^ ]*/bangerd$')
mapfile -t supervisors < <(held '^[^ ]*/banger-vm-supervisor ')
echo "# RssAnon with $vms machines, $running of them running: bangerd $bangerd KiB (bar $bangerd_bar)," \
    "supervisors ${supervisors[*]} KiB (bar $supervisor_bar)"
check "bangerd holds at most $bangerd_bar KiB" test "${bangerd:-999999}" -le "$bangerd_bar"
check "there is a supervisor for each that runs" test "${#supervisors[@]}" -eq "$running"
check "none of them holds more than $supervisor_bar KiB" test "${supervisors[-1]:-999999}" -le "$supervisor_bar"

for ((i = 1; i <= vms; i++)); do
    alice banger vm delete "m$i" </dev/null >/dev/null 2>&1
done
check "nothing is left" nothing_left alice
