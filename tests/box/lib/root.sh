# shellcheck shell=bash
# The box's root file system: a Debian with what a developer's machine has, and three ordinary users.

BOX_RELEASE=${BANGER_BOX_RELEASE:-bookworm}
BOX_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The packages of a box; with FLAVOUR `build` also those that build banger.
box_packages() {
    local flavour=$1 left_out='^#'
    cat "$BOX_FOLDER/packages"
    if [ "$flavour" = build ]; then
        # A release has the clang of its time only.
        [ "$BOX_RELEASE" = bookworm ] || left_out=-14
        grep -v -e "$left_out" "$BOX_FOLDER/../../packaging/build-dependencies"
    fi
}

set_up_box_root() {
    local root=$1
    echo box >"$root/etc/hostname"
    printf '127.0.0.1\tlocalhost\n127.0.1.1\tbox\n::1\tlocalhost\n' >"$root/etc/hosts"
    echo 'LANG=C.UTF-8' >"$root/etc/default/locale"
    add_users "$root" alice bob carol
    # Nothing here needs the archive's timers or a second login prompt.
    chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer man-db.timer \
        console-getty.service ssh.service
}

make_box_root() {
    local flavour=$1 target=$2 packages
    packages=$(mktemp)
    box_packages "$flavour" >"$packages"
    make_debian_root "$BOX_RELEASE" "$packages" set_up_box_root "$target"
    rm -f "$packages"
}

# box_root FLAVOUR: the path of the cached root, which is built if it is not there.
box_root() {
    local flavour=$1 path
    path=$BANGER_CACHE/roots/$flavour-$BOX_RELEASE-$(
        { box_packages "$flavour" && cat "$BOX_FOLDER/lib/root.sh" "$BOX_FOLDER/../lib/debian-root.sh"; } |
            cache_key
    )
    cached "$path" make_box_root "$flavour"
    echo "$path"
}
