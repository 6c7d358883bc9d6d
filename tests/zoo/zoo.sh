# shellcheck shell=bash
# The zoo: images of many kinds whose layers buildah and umoci made, as the storage of a docker-registry that skopeo
# filled, and what `umoci unpack` makes of each. It comes in parts, small and large, each built once.
#
#   registry/         the registry's storage: zoo/NAME:1
#   unpacked/NAME     what umoci unpacks of it, as tests/zoo/describe prints it

ZOO_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ZOO_SYSTEM=$ZOO_FOLDER/../integration/guest/packages

no_setup() { :; }

# unpack_debian PACKAGES-FILE TARGET: the packages unpacked and no more, not even with what Debian calls essential.
unpack_debian() {
    local settings
    settings=$(mktemp)
    apt_settings >"$settings"
    mmdebstrap --quiet --mode=root --variant=extract --aptopt="$settings" \
        --include="$(package_list "$1" | paste -sd,)" bookworm "$2" "$(debian_sources bookworm)" >&2
    rm -f "$settings"
    drop_lists "$2"
}

drop_lists() { rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin; }

# The root that the images are made in.
zoo_builder() {
    local path
    path=$BANGER_CACHE/roots/zoo-bookworm-$(cat "$ZOO_FOLDER/packages" "$ZOO_FOLDER/../lib/debian-root.sh" | cache_key)
    cached "$path" make_debian_root bookworm "$ZOO_FOLDER/packages" no_setup
    echo "$path"
}

# zoo_trees PART FOLDER: the Debian trees that images of that part are made of.
zoo_trees() {
    local folder=$2
    case $1 in
    small)
        make_debian_root bookworm "$ZOO_SYSTEM" drop_lists "$folder/debian12"
        unpack_debian "$ZOO_FOLDER/packages-openrc" "$folder/openrc"
        ;;
    large)
        make_debian_root trixie "$ZOO_SYSTEM" drop_lists "$folder/debian13"
        make_debian_root bookworm "$ZOO_FOLDER/packages-large" drop_lists "$folder/large"
        ;;
    esac
}

# make_zoo PART TARGET
make_zoo() {
    local part=$1 target=$2 builder work
    builder=$(zoo_builder)
    work=$target.work
    rm -rf --one-file-system "$work"
    mkdir -p "$work"/{upper,overlay,root,trees} "$target"
    zoo_trees "$part" "$work/trees"
    say "building the $part zoo"
    # With a network of its own, where nobody else has the registry's port; all mounts go with it.
    unshare --mount --net --pid --fork --kill-child bash -euc '
        folder=$1 part=$2 builder=$3 work=$4 target=$5
        mount -t overlay zoo -o "lowerdir=$builder,upperdir=$work/upper,workdir=$work/overlay" "$work/root"
        mkdir -p "$work"/root/zoo/{source,trees,out}
        mount --bind "$folder" "$work/root/zoo/source"
        mount --bind "$work/trees" "$work/root/zoo/trees"
        mount --bind "$target" "$work/root/zoo/out"
        mount --rbind /dev "$work/root/dev"
        mount --rbind /sys "$work/root/sys"
        mount -t proc proc "$work/root/proc"
        exec chroot "$work/root" "/zoo/source/build-$part" </dev/null' \
        bash "$ZOO_FOLDER" "$part" "$builder" "$work" "$target"
    rm -rf --one-file-system "$work"
}

# zoo PART: its path, built if it is not there.
zoo() {
    local part=$1 path
    path=$BANGER_CACHE/zoo/$part-$(cat "$ZOO_FOLDER"/* "$ZOO_SYSTEM" "$ZOO_FOLDER/../lib/debian-root.sh" | cache_key)
    cached "$path" make_zoo "$part"
    echo "$path"
}
