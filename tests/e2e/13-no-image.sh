#!/usr/bin/env bash
# A build that cannot be finished (no room, no network, no more wish for it) says so, and leaves nothing behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

image=debian-bookworm-minimal
images=/home/alice/.local/state/banger/images
everything() {
    root sh -c 'find /var/tmp -mindepth 1 -name "banger-build-*"; find "$1" -mindepth 1' sh "$images" </dev/null | sort
}
building() { root sh -c 'ls -d /var/tmp/banger-build-*' </dev/null >/dev/null 2>&1; }
# is_gone DESCRIPTION: of the build that ran.
is_gone() {
    check "$1: no image is left" test "$(alice banger image list -q </dev/null)" = "$listed"
    check "$1: no file" test "$(everything)" = "$before"
    check "$1: no process" test -z "$(root pgrep -u alice -f 'mmdebstrap|banger-image-worker|apt-get' </dev/null)"
}

run alice banger image list -q
listed=$out
check "the image is not there yet" out_lacks "^$image\$"
before=$(everything)

root mount -t tmpfs -o size=300M,mode=1777 tmpfs /var/tmp </dev/null
run alice banger image build $image
check "a disk with too little room is seen before anything is downloaded" fails
check "at once" within 10
check "in one line" err_is_one_line
check "with what is missing" err_has '/var/tmp.*(MiB|GiB) are missing'
is_gone "too little room"

root mount -o remount,size=600M /var/tmp </dev/null
for moment in 'reading package lists' 'installing the base system'; do
    alice sh -c 'rm -f build.status; systemd-run --user --quiet --collect --unit=build --same-dir sh -c \
        "banger image build '$image' 2>build.err; echo \$? >build.status"' </dev/null
    check "a build is at «$moment»" eventually 60 alice grep -q "$moment" build.err
    root sh -c 'cat /dev/zero >/var/tmp/filler' </dev/null 2>/dev/null
    check "a disk that fills up ends it" eventually 60 alice test -s build.status
    run alice sh -c 'cat build.err >&2; exit "$(cat build.status)"'
    check "with a failure" fails
    err=$(tail -n 1 <<<"$err")
    check "whose last line says so" err_has 'No space left|not enough free space'
    check "and what to do" err_has 'free some room'
    check "and how much is missing" err_has '/var/tmp, which has .*(MiB|GiB) are missing'
    is_gone "a full disk while $moment"
    root rm /var/tmp/filler </dev/null
done
root umount /var/tmp </dev/null

# archive add|del: names resolve, but with add no connection to the archive comes about.
archive() {
    local port
    for port in 80 443; do
        root ip rule "$1" priority 100 ipproto tcp dport "$port" unreachable </dev/null
    done
}
archive add
run alice banger image build $image
archive del
check "an archive that is not reached ends it" fails
check "soon" within 30
err=$(tail -n 1 <<<"$err")
check "with one line that says so" err_has 'Could not resolve|Could not connect|Unable to connect|Cannot initiate|Failed to fetch|Temporary failure'
check "and what to do" err_has 'check the network'
is_gone "no archive"
archive add
run alice banger kernel pull --force
archive del
check "a kernel's either" fails
check "in the same words" err_has 'check the network'
run alice banger kernel list -q
check "and the kernel that was there stays" out_has .

alice sh -c 'rm -f build.status; systemd-run --user --quiet --collect --unit=build --same-dir sh -c \
    "trap : INT; banger image build '$image' 2>build.err; echo \$? >build.status"' </dev/null
check "a build has begun" eventually 60 building
root pkill -INT -u alice -f "^banger image build" </dev/null
check "Ctrl-C ends it" eventually 30 alice test -s build.status
run alice cat build.status
check "as a shell shows SIGINT" out_is 130
is_gone "cancelled"
