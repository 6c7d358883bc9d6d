# shellcheck shell=bash
# Booting the box, getting into it, and taking it down.

BOX_NAME=${BANGER_BOX_NAME:-box}
BOXES=$BANGER_CACHE/box
BOX_STATE=$BOXES/$BOX_NAME

box_is_up() {
    [ -s "$BOX_STATE/init" ] && [ -d "/proc/$(cat "$BOX_STATE/init")" ]
}

# Runs a command in all of the box's namespaces as its root.
in_box() {
    local init
    init=$(cat "$BOX_STATE/init")
    nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup -- "$@"
}

# Device nodes of the box's own, with the modes that Debian's udev gives: this machine's may differ.
make_devices() {
    local with_kvm=$1
    mkdir -p "$BOX_STATE/dev"
    mknod -m 0666 "$BOX_STATE/dev/tun" c 10 200
    if [ "$with_kvm" = yes ]; then
        mknod -m 0660 "$BOX_STATE/dev/kvm" c 10 232
        chgrp "$(sed -n 's/^kvm:[^:]*:\([0-9]*\):.*/\1/p' "$BOX_LOWER/etc/group")" "$BOX_STATE/dev/kvm"
    fi
}

# What differs between two boxes of one root.
personalise() {
    local upper=$BOX_STATE/upper
    mkdir -p "$upper/etc/systemd/resolved.conf.d"
    tr -d - </proc/sys/kernel/random/uuid >"$upper/etc/machine-id"
    ln -sf ../run/systemd/resolve/stub-resolv.conf "$upper/etc/resolv.conf"
    printf '[Resolve]\nDNS=%s\n' "$(machine_resolver)" >"$upper/etc/systemd/resolved.conf.d/box.conf"
}

# start_nspawn BIND-OPTION…: boots the root, which is an overlay over the cached one, mounted where only nspawn
# sees it, so that nothing stays mounted when the box is gone.
start_nspawn() {
    SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_TMPFS_TMP=0 \
        setsid unshare --mount --propagation private bash -c '
            mount -t overlay banger-box -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
            exec systemd-nspawn --quiet --boot --directory="$2/root" --machine="$3" --keep-unit --register=no \
                --network-namespace-path="/run/netns/$4" --capability=CAP_NET_ADMIN --resolv-conf=off \
                --timezone=off --link-journal=no --console=pipe "${@:5}"' \
        bash "$BOX_LOWER" "$BOX_STATE" "banger-$BOX_NAME" "$(box_netns)" "$@" \
        </dev/null >"$BOX_STATE/console" 2>&1 &
    echo $! >"$BOX_STATE/nspawn"
}

# Waits until the box's PID 1 is there, and writes its pid (as seen from this machine) to the state.
wait_for_init() {
    local nspawn child
    nspawn=$(cat "$BOX_STATE/nspawn")
    for _ in $(seq 1 300); do
        [ -d "/proc/$nspawn" ] || break
        child=$(cut -d' ' -f1 "/proc/$nspawn/task/$nspawn/children" 2>/dev/null || true)
        if [ -n "$child" ] && [ "$(cat "/proc/$child/comm" 2>/dev/null)" = systemd ]; then
            echo "$child" >"$BOX_STATE/init"
            return
        fi
        sleep 0.1
    done
    sed 's/^/    /' "$BOX_STATE/console" >&2
    die "the box did not boot: its console is above"
}

machine_up() {
    local state user
    wait_for_init
    for _ in $(seq 1 300); do
        in_box test -S /run/systemd/private && break
        sleep 0.1
    done
    state=$(in_box timeout 120 systemctl is-system-running --wait || true)
    [ "$state" = running ] || in_box systemctl --no-pager --failed >&2
    # nspawn hides parts of /proc, and the kernel then lets nobody inside mount a fresh one (bubblewrap's --proc).
    # One whole /proc, where only root looks, makes the box like any machine again.
    in_box sh -c 'mkdir -m 0700 /run/box-proc && mount -t proc proc /run/box-proc'
    for user in $(box_users); do
        in_box systemctl start "user@$(in_box id -u "$user").service"
        # What a login before the packages came had: a group joined later is not among them.
        in_box id -G "$user" | tr ' ' , >"$BOX_STATE/groups.$user"
    done
    [ "$state" = running ] || die "the box booted to '$state' (see above): it stays up for a look"
}

box_users() {
    in_box awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }' /etc/passwd
}

# enter USER WITH-NEW-LOGIN TERMINAL ENVIRONMENT-ARRAY COMMAND…: as USER in a login's environment, in the home.
enter() {
    local user=$1 login=$2 terminal=$3 uid groups init path=/usr/local/bin:/usr/bin:/bin:/usr/games
    local -n variables=$4
    shift 4
    init=$(cat "$BOX_STATE/init")
    uid=$(in_box id -u "$user") || die "no user '$user' in the box"
    if [ "$login" = yes ] || [ ! -s "$BOX_STATE/groups.$user" ]; then
        groups=--init-groups
    else
        groups=--groups=$(cat "$BOX_STATE/groups.$user")
    fi
    if [ "$uid" -eq 0 ]; then
        path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    else
        variables=("XDG_RUNTIME_DIR=/run/user/$uid" "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus"
            "${variables[@]}")
    fi
    local chain=(nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --
        setpriv --reuid "$user" --regid "$user" "$groups" --reset-env
        env LANG=C.UTF-8 "PATH=$path" "${variables[@]}" sh -c 'cd && exec "$@"' sh)
    if [ "$terminal" = yes ]; then
        # A terminal of the box's own: the caller's has no name in there.
        chain+=(script --quiet --return --command "$(printf '%q ' "$@")" /dev/null)
    else
        chain+=("$@")
    fi
    exec "${chain[@]}"
}

machine_down() {
    local nspawn
    nspawn=$(cat "$BOX_STATE/nspawn" 2>/dev/null || true)
    if [ -n "$nspawn" ] && grep -qs "banger-$BOX_NAME" "/proc/$nspawn/cmdline"; then
        if box_is_up; then
            # SIGRTMIN+4 asks systemd for a power-off.
            kill -s RTMIN+4 "$(cat "$BOX_STATE/init")" || true
            timeout 60 tail --pid="$nspawn" -f /dev/null || true
        fi
        kill -KILL "$nspawn" 2>/dev/null || true
        timeout 10 tail --pid="$nspawn" -f /dev/null || true
    fi
    network_down
    rm -rf --one-file-system "$BOX_STATE"
}
