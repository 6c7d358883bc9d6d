#!/usr/bin/env bash
# Images of the user's own: by a reference alone, registered where they are, copied in; what they take.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

detail() { alice banger image show "$1" --json </dev/null | jq -r "$2"; }
images_of() { as "$1" banger image list -q </dev/null; }

# A root with nothing but busybox, as a file system and in a directory in OCI layout.
run alice sh -eu -c '
    mkdir -p own/root/bin own/root/etc
    cp /bin/busybox own/root/bin/busybox
    for name in sh cat uname; do ln -sf busybox own/root/bin/$name; done
    echo first >own/root/etc/whoami
    truncate -s 64M own/root.ext4
    /sbin/mke2fs -q -t ext4 -d own/root own/root.ext4
    cd own
    umoci init --layout layout
    umoci new --image layout:1
    umoci insert --rootless --image layout:1 root/ /
    umoci config --image layout:1 --config.entrypoint /bin/busybox'
check "a root file system and an OCI layout are made" status_is 0

run alice banger vm run --image oci:own/layout:1 --rm "${PATIENCE[@]}" -- sh -c 'cat /etc/whoami; exit 42'
check "vm run pulls an image by its reference and runs it" status_is 42
check "its files are there" out_is first
check "the image has the name that the reference suggests" [ "$(detail layout-1 .name)" = layout-1 ]
run alice banger vm run --image oci:own/layout:1 --rm "${PATIENCE[@]}" -- sh -c 'exit 7'
check "a second time nothing is pulled" status_is 7
check "so it says no word of that" [ -z "$(grep pulling <<<"$err")" ]

run alice banger image register --name mine --rootfs own/root.ext4
check "a file is registered" status_is 0
check "and stays where it is" [ "$(detail mine .registered_file)" = "$(alice pwd </dev/null)/own/root.ext4" ]
run alice banger vm create --name keeper --image mine
check "a VM of it is created" status_is 0
run alice banger vm start keeper
check "and starts" status_is 0
run alice banger vm exec keeper -- /bin/busybox sh -c 'cat /etc/whoami; echo mine >/etc/own; exit 42'
check "a command in it gives its exit status" status_is 42
check "show says who uses it" [ "$(detail mine '.used_by[0]')" = keeper ]
run alice banger image delete mine
check "what a VM uses is not deleted" fails
check "and who that is, is said" err_has keeper
run alice banger vm stop keeper
check "the VM stops" status_is 0

alice sh -c 'printf x | dd of=own/root.ext4 bs=1 seek=60000000 conv=notrunc 2>/dev/null' </dev/null
run alice banger vm start keeper
check "a changed file is noticed before it is booted" fails
check "with the file's name and what to do" err_has 'root.ext4.*was changed.*banger image register --force'
alice sh -c 'printf "\0" | dd of=own/root.ext4 bs=1 seek=60000000 conv=notrunc 2>/dev/null' </dev/null
run alice banger image register --name mine --rootfs own/root.ext4
check "the same content is made good by registering it again" status_is 0
run alice banger vm start keeper
check "so that the VM starts" status_is 0
run alice banger vm exec keeper -- /bin/busybox cat /etc/own
check "with what it had written" out_is mine
alice banger vm delete keeper </dev/null >/dev/null 2>&1

run alice banger image promote mine
check "the file is copied in" status_is 0
alice mv own/root.ext4 own/gone.ext4 </dev/null
run alice banger vm run --image mine --rm "${PATIENCE[@]}" -- sh -c 'exit 42'
check "and not needed any more" status_is 42
check "what it takes is its own" [ "$(detail mine '.own_bytes > 0 and .shared_bytes == 0')" = true ]

run alice banger image register --name bad --rootfs own/root/etc/whoami
check "what is no file system is refused" fails
check "with a reason" err_has 'no ext4 file system'
check "and is not listed" [ -z "$(images_of alice | grep -x bad)" ]

for image in mine layout-1; do
    run alice banger image delete "$image"
    check "$image is deleted" status_is 0
done
alice rm -rf own </dev/null
