#!/usr/bin/env bash
# From `systemctl --user start` to the first `ssh … true`, against the bare VMM.
#
# Both boot the same kernel, initramfs and disks, byte for byte: the disks are put back before each boot. The bare VMM is
# QEMU with the very arguments that banger gave it, but that it opens a tap of its own; it is not confined, and has a tap
# with an address and a neighbour entry ready. Its time ends at the banner of its SSH server. Banger's has in it all
# that comes before (unit, bangerd, disks, tap, rules, confinement) and after (the key exchange and a session). They take
# turns, and the medians count. What the same ssh takes to the bare VMM's guest is told beside it.
# shellcheck source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

bar=1.15
pairs=${PAIRS:-5}
vm=boot

run alice banger vm run --name $vm --vcpu "${VCPUS:-2}" --memory 1024 -- true
check "a machine runs" status_is 0
eventually 300 alice sh -c "banger vm show $vm --json | jq -e .boot_finished" || true

# Its QEMU's arguments, one a line, without bubblewrap's.
root sh -c 'tr "\0" "\n" <"/proc/$(pgrep -n -u alice -f "^/usr/bin/qemu-system-x86_64 ")/cmdline"' </dev/null \
    >"$E2E_WORK/arguments"
machine=$(alice sh -c "cat \$XDG_RUNTIME_DIR/banger/vm/$vm/machine.json" </dev/null)
address=$(alice sh -c "banger vm show $vm --json" </dev/null | jq -r .ip_address)
mac=$(jq -r .nic.mac <<<"$machine")
check "it has arguments, an address and a MAC" test -s "$E2E_WORK/arguments" -a -n "$address" -a -n "$mac"
run alice banger vm stop $vm
check "it stops" status_is 0

# The files under the names that the arguments have, in a folder of its own.
run alice sh -c '
    rm -rf bare && mkdir bare && cd bare && mkdir pristine
    echo "$1" | jq -r "
        [\"kernel\", .kernel], [\"initrd\", .initrd], (.disks[] | [.id + \".disk\", .path]) | @tsv" |
        while IFS="	" read -r name path; do ln -s "$path" "$name"; done
    for disk in overlay work; do cp --sparse=always "$disk.disk" "pristine/$disk"; done' sh "$machine"
check "the disks are copied" status_is 0
put_disks_back() {
    alice sh -c 'cd bare && for disk in overlay work; do
        cp --sparse=always "pristine/$disk" "$(readlink "$disk.disk")"
    done' </dev/null
}
alice sh -c 'cat >bare/bare_boot.py' <"$(dirname "$0")/bare_boot.py"
mapfile -t arguments < <(sed 's/^tap,id=net,fd=.*/tap,id=net,ifname=bare0,script=no,downscript=no/' "$E2E_WORK/arguments")

bare() {
    put_disks_back
    root sh -c '
        ip tuntap add bare0 mode tap user alice
        ip addr add "$(echo "$1" | cut -d. -f1-3).1/24" dev bare0
        ip link set bare0 up
        ip neigh replace "$1" lladdr "$2" dev bare0 nud permanent' sh "$address" "$mac" </dev/null
    run alice sh -c 'cd bare && exec python3 bare_boot.py "$@"' sh "$address" $vm "${arguments[@]}"
    check "the bare VMM boots to the SSH server's banner and lets ssh in" status_is 0
    root ip link del bare0 </dev/null
    banner_times+=("${out% *}")
    bare_times+=("${out#* }")
}
banger() {
    put_disks_back
    run alice bash -c 'begin=$EPOCHREALTIME
        systemctl --user start banger-vm@'$vm' && banger vm ssh '$vm' -- true || exit
        echo "$(((${EPOCHREALTIME/./} - ${begin/./}) / 10000))e-2"'
    check "the unit starts, and ssh gets in" status_is 0
    banger_times+=("$(printf '%.2f' "$out")")
    alice systemctl --user kill --signal=KILL banger-vm@$vm </dev/null
    eventually 20 alice sh -c "! systemctl --user -q is-active banger-vm@$vm"
    alice systemctl --user reset-failed banger-vm@$vm </dev/null 2>/dev/null
}
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# Once for the page cache.
banner_times=()
bare_times=()
banger_times=()
bare
banner_times=()
bare_times=()
for ((pair = 0; pair < pairs; pair++)); do
    banger
    bare
done
us=$(median "${banger_times[@]}")
to_ssh=$(ratio "$us" "$(median "${bare_times[@]}")")
to_banner=$(ratio "$us" "$(median "${banner_times[@]}")")
echo "# from start to the first ssh: ${banger_times[*]} s"
echo "# the bare VMM to its first ssh: ${bare_times[*]} s, to the banner: ${banner_times[*]} s"
echo "# ratio of the medians to the bare VMM's banner: $to_banner (bar $bar); to its first ssh: $to_ssh"
check "to the first ssh it takes at most $bar times the bare VMM's time to the banner" at_most "$to_banner" "$bar"

alice rm -rf bare </dev/null
run alice banger vm delete $vm
check "nothing is left" nothing_left alice $vm
