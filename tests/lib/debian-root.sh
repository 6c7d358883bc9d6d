# shellcheck shell=bash
# Debian roots for the test machines, built from the archive that this machine's own apt uses.

# The settings of this machine's apt that decide whether the archive can be reached: proxy, checks of dates.
apt_settings() {
    apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https|Check-[A-Za-z-]+|Retries)' || true
}

# debian_sources RELEASE: the archive this machine's apt gets Debian from, as sources.list lines for RELEASE;
# nothing where apt does not tell, and mmdebstrap then takes its default.
debian_sources() {
    local release=$1 own
    own=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sort -u)
    if grep -q " $release " <<<"$own"; then
        grep " $release" <<<"$own"
    else
        grep -v -e '-updates ' -e '-security ' <<<"$own" | awk -v release="$release" \
            '$4 == "main" { print $1, $2, release, $4; exit }'
    fi
}

# make_debian_root RELEASE PACKAGES-FILE SETUP-FUNCTION TARGET
# SETUP-FUNCTION is called with the finished root's path; what it installs is part of the root.
make_debian_root() {
    local release=$1 packages=$2 setup=$3 target=$4
    local settings sources
    settings=$(mktemp)
    sources=$(mktemp --suffix=.list)
    apt_settings >"$settings"
    debian_sources "$release" >"$sources"
    say "building a Debian root ($release) in $target"
    # The lists stay in, so that a later `apt-get install` of a local package resolves without the network.
    mmdebstrap --quiet --mode=root --variant=minbase --skip=cleanup/apt \
        --aptopt="$settings" --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --include="$(package_list "$packages" | paste -sd,)" \
        "$release" "$target" "$([ -s "$sources" ] && echo "$sources")" >&2
    rm -f "$settings" "$sources"
    rm -f "$target"/var/cache/apt/archives/*.deb
    "$setup" "$target"
}

# add_users ROOT NAME…: ordinary users with subordinate ids, whose user managers start at boot.
add_users() {
    local root=$1 user
    shift
    mkdir -p "$root/var/lib/systemd/linger"
    for user; do
        chroot "$root" useradd --create-home --shell /bin/bash "$user"
        touch "$root/var/lib/systemd/linger/$user"
    done
}
