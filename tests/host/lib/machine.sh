# shellcheck shell=bash
# Booting the host in QEMU, reaching it by ssh, and taking it down.

HOST_NAME=${BANGER_HOST_NAME:-host}
HOSTS=$BANGER_CACHE/host
HOST_STATE=$HOSTS/$HOST_NAME

host_is_up() {
    local pid
    pid=$(cat "$HOST_STATE/qemu.pid" 2>/dev/null || true)
    [ -n "$pid" ] && grep -qs "$HOST_STATE/qmp" "/proc/$pid/cmdline"
}

# The frequency of this machine's time stamp counter in kHz, where the kernel tells: the emulated one runs with it,
# and a guest that is told need not measure it (which under load goes wrong).
tsc_khz() {
    dmesg 2>/dev/null | sed -n 's/.*tsc: .* \([0-9]*\)\.\([0-9]\{3\}\) MHz.*/\1\2/p' | tail -n 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_qemu IMAGE DISK…: no disk is written to: what the host writes is gone with it.
start_qemu() {
    local image=$1 disk port khz drives=()
    port=$(free_port)
    khz=$(tsc_khz)
    echo "$port" >"$HOST_STATE/port"
    for disk in "$image/disk" "${@:2}"; do
        drives+=(-drive "file=$disk,if=virtio,format=raw,snapshot=on,cache=unsafe")
    done
    qemu-system-x86_64 -name "banger-$HOST_NAME" -daemonize -pidfile "$HOST_STATE/qemu.pid" \
        -M q35 -accel tcg,thread=multi,tb-size=512 -cpu EPYC-v2,+svm -smp "${BANGER_HOST_CPUS:-2}" \
        -m "${BANGER_HOST_MEMORY:-3072}" -nodefaults -no-user-config -display none \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" \
        -append "console=ttyS0 quiet root=/dev/vda rw ${khz:+tsc_early_khz=$khz}" \
        "${drives[@]}" \
        -netdev "user,id=uplink,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=uplink \
        -device virtio-rng-pci -serial "file:$HOST_STATE/console" \
        -qmp "unix:$HOST_STATE/qmp,server=on,wait=off" 2>"$HOST_STATE/qemu.log" ||
        die "QEMU did not start: $(cat "$HOST_STATE/qemu.log")"
}

# host_ssh USER OPTION… -- COMMAND…: a real login, with a session and its environment.
host_ssh() {
    local user=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    ssh -F none -q -i "$HOST_STATE/image/key" -o IdentitiesOnly=yes -o HostKeyAlias=banger-test-host \
        -o UserKnownHostsFile="$HOST_STATE/image/known_hosts" -o StrictHostKeyChecking=yes -o BatchMode=yes \
        -o ConnectTimeout=60 -o ServerAliveInterval=30 -p "$(cat "$HOST_STATE/port")" "${options[@]}" \
        "$user@127.0.0.1" "$([ $# -eq 0 ] || printf '%q ' "$@")"
}

wait_for_ssh() {
    local deadline=$((SECONDS + 300))
    until host_ssh root -- true 2>/dev/null; do
        host_is_up || die "the host's QEMU ended: see $HOST_STATE/console"
        if [ "$SECONDS" -ge "$deadline" ]; then
            tail -n 30 "$HOST_STATE/console" >&2
            die "the host has no ssh after 300 s: the end of its console is above"
        fi
        sleep 0.5
    done
}

# machine_up IMAGE FOLDER:PATH…: each folder as a disk of its own, mounted at its path.
machine_up() {
    local image=$1 share folder disk disks=() devices=(/dev/vd{b..z})
    mkdir -p "$HOST_STATE"
    ln -s "$image" "$HOST_STATE/image"
    shift
    for share; do
        folder=${share%%:*}
        disk=$HOST_STATE/share${#disks[@]}
        mke2fs -q -t ext4 -d "$folder" "$disk" "$(($(du -sm "$folder" | cut -f1) * 5 / 4 + 64))M"
        disks+=("$disk")
    done
    start_qemu "$image" "${disks[@]}"
    wait_for_ssh
    for share; do
        host_ssh root -- sh -c 'mkdir -p "$1" && mount -o ro "$2" "$1"' sh "${share#*:}" "${devices[0]}"
        devices=("${devices[@]:1}")
    done
}

machine_down() {
    local pid
    if host_is_up; then
        pid=$(cat "$HOST_STATE/qemu.pid")
        kill "$pid" 2>/dev/null || true
        timeout 20 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -rf --one-file-system "$HOST_STATE"
}
