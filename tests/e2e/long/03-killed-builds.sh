#!/usr/bin/env bash
# bangerd is killed in each stage of a recipe's build and of the making of a kernel: the next one that starts leaves
# nothing of it, trees of subordinate uids included, and what was there before is there still.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

image=debian-bookworm-minimal
state=/home/alice/.local/state/banger

# Files of work that goes on, and its processes, whoever they belong to.
half_made() {
    root sh -c 'find /var/tmp -maxdepth 1 -name "banger-build-*"; find "$1"/images "$1"/kernels -maxdepth 1 -name "tmp.*"
        pgrep -a -f "[m]mdebstrap|[a]pt-get|[d]pkg|[b]anger-image-worker"; true' sh "$state" </dev/null
}
nothing_half_made() { [ -z "$(half_made)" ]; }
published() {
    alice banger image list --json </dev/null
    alice banger kernel list --json </dev/null
    root find "$state/images" "$state/kernels" -mindepth 1 -maxdepth 2 </dev/null | sort
}

# killed_at STAGE COMMAND…: of alice's, once its progress says so.
killed_at() {
    local stage=$1
    shift
    alice sh -c 'rm -f command.status; stage=$1; shift
        systemd-run --user --quiet --collect --unit=command --same-dir sh -c \
            "\"\$@\" 2>command.err; echo \$? >command.status" sh "$@"' sh "$stage" "$@" </dev/null
    check "$stage: begun" eventually 240 alice grep -q "$stage" command.err
    # systemd gives up after five starts in ten seconds, which these kills may be.
    alice systemctl --user reset-failed bangerd.service </dev/null
    root pkill -KILL -u alice -x bangerd </dev/null
    check "$stage: the command ends, too" eventually 20 alice test -s command.status
    check "$stage: as failed" alice sh -c '[ "$(cat command.status)" -ne 0 ]'
    run alice banger image list -q
    check "$stage: another bangerd answers" status_is 0
    check "$stage: nothing half made is left" eventually 120 nothing_half_made
    half_made | sed 's/^/#   left: /'
    check "$stage: what was there is there still" test "$(published)" = "$before"
}

run alice banger image list -q
before=$(published)
check "nothing is half made" nothing_half_made
for stage in 'reading package lists' 'downloading the base system' 'unpacking the base system' \
    'installing the base system' 'downloading packages' 'installing packages' 'writing the image'; do
    killed_at "$stage" banger image build $image
done
for stage in 'downloading linux-image' 'unpacking the kernel'; do
    killed_at "$stage" banger kernel pull debian-trixie
done

LIMIT=600 run alice banger image build $image
check "the image is built afterwards" status_is 0
run alice banger kernel pull debian-trixie
check "and the kernel is pulled" status_is 0
before=$(published)
alice sh -c 'mkdir package; cd package; apt-get -qq download linux-image-6.1.0-*-cloud-amd64 || exit
    dpkg-deb -x linux-image-*.deb .' </dev/null >/dev/null 2>&1
killed_at 'importing /home/alice/package' banger kernel import mine --from package
