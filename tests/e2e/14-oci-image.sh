#!/usr/bin/env bash
# An image of a registry: pulled, equal to what umoci makes of it, and run as docker would.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

images='.[] | select(.name == "small")'
digest_of_small() { alice banger image list --json </dev/null | jq -r "$images | .digest"; }
cached_blobs() { alice sh -c 'ls ~/.cache/banger/oci/blobs/sha256 | wc -l' </dev/null; }
registry_is_up() { alice curl -sf http://localhost:5000/v2/ </dev/null; }

# A registry of alice's, and an image of three layers without init, shell and C library beside busybox.
root systemctl disable --now docker-registry </dev/null >/dev/null 2>&1
alice sh -eu <<'ALICE'
mkdir -p ~/registry ~/work
cat >~/registry/config.yml <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $HOME/registry/data}, delete: {enabled: true}}
http: {addr: "localhost:5000"}
YAML
systemd-run --user --quiet --collect --unit=registry docker-registry serve ~/registry/config.yml
cd ~/work
umoci init --layout image
umoci new --image image:1
layer() { umoci insert --rootless --image image:1 "$@"; }
mkdir -p one/bin one/etc/app one/data/old one/usr/lib
cp /bin/busybox one/bin/busybox
ln -s busybox one/bin/sh
ln -s busybox one/bin/cat
ln one/bin/busybox one/bin/again
echo first >one/etc/app/conf
echo secret-of-the-first-layer >one/etc/app/secret
echo old >one/data/old/file
ln -s usr/lib one/lib
printf 'name with a newline' >"$(printf 'one/data/a\nb')"
chmod 4755 one/bin/again
touch -d '1999-12-31 23:59:59' one/data
layer one/ /
mkdir two
echo second >two/conf
echo new >two/file
layer two/conf /etc/app/conf
layer --whiteout /etc/app/secret
layer --opaque two/ /data/old
mkdir three
echo through-a-link >three/module
layer three/module /lib/module
umoci config --image image:1 --config.env GREETING=hello --config.workingdir /etc/app \
    --config.entrypoint /bin/busybox --config.cmd cat --config.cmd conf
ALICE
check "a registry runs" eventually 20 registry_is_up
run alice skopeo copy -q --dest-tls-verify=false oci:work/image:1 docker://localhost:5000/test/small:1
check "and has an image" status_is 0

alice mkdir -p .cache/banger/oci </dev/null
root mount -t tmpfs -o "size=128k,mode=1777" tmpfs /home/alice/.cache/banger/oci </dev/null
run alice banger image pull localhost:5000/test/small:1 --name small
root umount /home/alice/.cache/banger/oci </dev/null
check "a pull for which the disk is too small is refused" fails
check "with how much is missing" err_has 'localhost:5000/test/small:1 needs about .*/oci, which has .*iB are missing'

run alice banger image pull localhost:5000/test/small:1 --name small
check "the image is pulled" status_is 0
check "its name is printed" out_is small
run alice banger image list
check "the list has it, with where it came from" out_has '^small +sha256:[0-9a-f]{12} +localhost:5000/test/small:1 '
first=$(digest_of_small)
blobs=$(cached_blobs)
run alice banger image pull localhost:5000/test/small:1 --name small
check "a pull of what is there and unchanged succeeds" status_is 0
check "and changes nothing" [ "$(digest_of_small)" = "$first" ]

run alice sh -eu -c '
    umoci unpack --rootless --image work/image:1 work/bundle >/dev/null 2>&1
    rootfs=$(echo ~/.local/state/banger/images/by-digest/'"${first#sha256:}"'/rootfs.ext4)
    /sbin/e2fsck -fn "$rootfs" >/dev/null 2>&1
    mkdir work/ours
    /sbin/debugfs -R "rdump / work/ours" "$rootfs" >/dev/null 2>&1
    rmdir work/ours/lost+found 2>/dev/null || true
    describe() { (cd "$1" && find . -mindepth 1 -printf "%P %y %m %s %l\0" | sort -z | grep -zv " d " | sha256sum; find . -type f -exec sha256sum {} + | sort | sha256sum); }
    # debugfs does not set it; the guest is asked below.
    chmod u-s work/bundle/rootfs/bin/again
    describe work/bundle/rootfs >work/theirs.txt
    describe work/ours >work/ours.txt
    cmp work/theirs.txt work/ours.txt
    ! grep -q secret-of-the-first-layer "$rootfs"'
check "what is in it equals what umoci unpacks, and a removed secret is nowhere" status_is 0

run alice banger vm run --rm --image small
check "without arguments it runs the image's entrypoint and command, in its directory" out_is second
run alice banger vm run --name small --image small -- sh -c 'echo "$GREETING from $PWD"; cat /data/old/file /usr/lib/module; stat -c "%a %h" /bin/busybox; exit 42'
check "arguments are the entrypoint's, and the exit status is the command's" status_is 42
check "variables, directory and the layers are right" out_is $'hello from /etc/app\nnew\nthrough-a-link\n4755 2'
run alice banger vm exec --env GREETING=bye small -- /bin/sh -c 'echo "$GREETING $PWD"'
check "exec has them too, and what is asked for goes before" out_is 'bye /etc/app'
run alice banger vm stop small
check "a machine without init stops" status_is 0
run alice banger vm delete small
check "and goes" status_is 0

run alice banger image pull localhost:5000/test/none:1
check "an image that is not there is an error" fails
check "of one line that names it" err_has 'localhost:5000/test/none:1'
check "and nothing is listed" [ "$(alice banger image list -q </dev/null | grep -c none)" = 0 ]
run alice banger image pull 'Not A Reference:'
check "what is no reference is refused" err_has 'Not A Reference:'
run alice banger image pull oci:work/image:1 --name layout
check "a directory in OCI layout is pulled by its relative path" status_is 0
run alice skopeo copy -q oci:work/image:1 docker-archive:work/saved.tar:small:1
run alice banger image pull docker-archive:work/saved.tar --name saved
check "and so is what docker save writes" status_is 0
run alice banger image delete small layout saved
check "they are deleted" status_is 0
check "their layers are still cached" [ "$(cached_blobs)" -ge "$blobs" ]
run alice banger image cache list --json
check "and listed" [ "$(jq length <<<"$out")" -ge "$blobs" ]
run alice busctl --user call org.banger.Manager /org/banger/Manager org.banger.Manager ListImageCache
check "on the bus, too" out_has '^a\(sttb\) [1-9]'
run alice banger image cache prune
check "until they are removed" [ "$(cached_blobs)" = 0 ]
alice systemctl --user stop registry </dev/null
check "nothing is left" nothing_left alice
