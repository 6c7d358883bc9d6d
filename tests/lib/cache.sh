# shellcheck shell=bash
# Where the test machines keep what is costly to make, and how it is made once.

BANGER_CACHE=${BANGER_CACHE:-/var/cache/banger-test}

say() { echo "${0##*/}: $*" >&2; }
die() {
    say "$*"
    exit 125
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root: run it as root, or through sudo"
}

# cache_key WORD… < FILE: a name that changes when the words or the text on stdin do.
cache_key() {
    { printf '%s\n' "$@" && cat; } | sha256sum | cut -c1-16
}

# cached PATH COMMAND…: makes PATH with `COMMAND… TEMPORARY`, atomically and once for all callers. PATH is NAME-KEY;
# versions of NAME with another key go once nobody has asked for them for a week.
cached() {
    local path=$1
    shift
    mkdir -p "$(dirname "$path")"
    (
        flock 9
        if [ ! -e "$path" ]; then
            rm -rf --one-file-system "$path.new"
            "$@" "$path.new" >&2
            mv "$path.new" "$path"
        fi
    ) 9>"${path%-*}.lock"
    touch "$path"
    find "$(dirname "$path")" -maxdepth 1 -path "${path%-*}-*" -mtime +7 -exec rm -rf --one-file-system {} +
}

# package_list FILE…: the packages named in FILEs, one a line, comments left out.
package_list() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"
}
