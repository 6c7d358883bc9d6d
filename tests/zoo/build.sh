# shellcheck shell=bash
# What the parts of the zoo are built with, in the builder's root: trees are in /zoo/trees, results go to /zoo/out.
set -euo pipefail
cd "$(mktemp -d)"
export BUILDAH_ISOLATION=chroot PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /zoo/out/{registry,unpacked}
# This root is an overlay: another one over it is not possible.
rm -rf /var/lib/containers
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers"\ngraphroot = "/var/lib/containers"\n' \
    >/etc/containers/storage.conf

start_registry() {
    busybox ip link set lo up
    cat >registry.yml <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: /zoo/out/registry}}
http: {addr: "127.0.0.1:5000"}
YAML
    docker-registry serve registry.yml >registry.log 2>&1 &
    for _ in $(seq 1 100); do
        ! busybox wget -q -O /dev/null http://127.0.0.1:5000/v2/ 2>/dev/null || return 0
        sleep 0.1
    done
    cat registry.log >&2
    return 1
}

# push NAME [COPY-OPTION…]: layout:NAME becomes zoo/NAME:1 of the registry, and what umoci unpacks of it is kept.
push() {
    local name=$1
    shift
    skopeo copy -q --insecure-policy --dest-tls-verify=false "$@" "oci:layout:$name" "docker://127.0.0.1:5000/zoo/$name:1"
    umoci unpack --image "layout:$name" bundle >umoci.log 2>&1 || { cat umoci.log >&2 && return 1; }
    /zoo/source/describe bundle/rootfs >"/zoo/out/unpacked/$name"
    rm -rf bundle
}

# insert NAME TREE [TARGET]: TREE as one more layer, by umoci.
insert() { umoci insert --image "layout:$1" "$2" "${3:-/}"; }

# from_buildah CONTAINER NAME: the container becomes layout:NAME.
from_buildah() { buildah commit -q --rm "$1" "oci:layout:$2" >/dev/null; }

umoci init --layout layout
start_registry
