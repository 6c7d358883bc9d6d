# shellcheck shell=bash
# The default image and kernel, built once by a user in the box by what the first `vm run` does too, and kept for later
# machines: what is tested is everything after that.

# golden_path: changes with the code that makes them. The initramfs, with the agent in it, is made at a first start.
golden_path() {
    local folder top
    top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    folder=$BANGER_CACHE/golden
    echo "$folder/state-$(cd "$top" && find daemon/{archive,catalog,debian,image,kernel,ext4,store} -type f \
        -print0 | sort -z | xargs -0 cat | cache_key)"
}

# golden_into_machine CONTROL PATH: gives alice and bob the image and kernel of PATH; where there is none yet, alice
# makes them, and they are kept.
golden_into_machine() {
    local control=$1 path=$2
    if [ ! -d "$path" ]; then
        say "building the default image and pulling the kernel"
        timeout 1500 "$control" run -u alice -- sh -c 'banger image pull debian-bookworm && banger kernel pull' \
            </dev/null >&2 || die "no image or no kernel: see above"
        "$control" run -u alice -- systemctl --user stop bangerd.socket bangerd.service
        "$control" run -u root -- cp -a --sparse=always /home/alice/.local/state/banger \
            "/var/cache/banger-golden/${path##*/}.new"
        "$control" run -u alice -- systemctl --user start bangerd.socket
        mv "$path.new" "$path"
    fi
    touch "$path"
    find "$(dirname "$path")" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf --one-file-system {} +
    "$control" run -u root -- sh -c '
        source=/var/cache/banger-golden
        [ -d "$source/$1" ] && source=$source/$1
        for user in alice bob; do
            home=/home/$user
            [ -e "$home/.local/state/banger/state.db" ] && continue
            install -d -o "$user" -g "$user" "$home/.local" "$home/.local/state"
            rm -rf "$home/.local/state/banger"
            cp -a --sparse=always "$source" "$home/.local/state/banger"
            chown -R "$user:$user" "$home/.local/state/banger"
        done' sh "${path##*/}"
}
