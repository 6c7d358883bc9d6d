#!/usr/bin/env bash
# machines: box host
# Docker in the guest runs containers of an image that was loaded into it: no registry, no network.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

alice sh -eu <<'ALICE'
mkdir -p ~/docker/tree/bin ~/docker/tree/www
cd ~/docker
umoci init --layout image
umoci new --image image:1
cp /bin/busybox tree/bin/busybox
for name in sh cat httpd; do ln -s busybox "tree/bin/$name"; done
echo served >tree/www/index.html
umoci insert --rootless --image image:1 tree/ /
umoci config --image image:1 --config.env PATH=/bin --config.cmd cat --config.cmd /www/index.html
skopeo copy -q oci:image:1 docker-archive:saved.tar:tiny:1
ALICE

run alice banger vm run "${PATIENCE[@]}" --name docker -- docker info --format '{{.Driver}} {{.Images}}'
check "Docker runs, with overlay2" out_is 'overlay2 0'
# in_guest COMMAND…
in_guest() { run alice banger vm exec docker -- "$@"; }

run alice sh -c 'banger vm exec docker -- docker load <docker/saved.tar'
check "an image is loaded from standard input" out_is 'Loaded image: tiny:1'
in_guest docker run --rm tiny:1
check "it runs its command" out_is served
in_guest docker run --rm tiny:1 sh -c 'exit 17'
check "a container's exit status arrives" status_is 17
in_guest sh -c 'echo of-the-guest >/root/file && docker run --rm -v /root:/guest:ro tiny:1 cat /guest/file'
check "a directory of the guest's can be mounted" out_is of-the-guest
in_guest docker run --rm --memory 64m --cpus 0.5 tiny:1 cat /sys/fs/cgroup/memory.max
check "a limit of its memory holds" out_is 67108864
in_guest docker run --detach --name web --publish 8080:80 tiny:1 httpd -f -h /www
check "a container stays in the background" status_is 0
in_guest curl -sf --retry 5 --retry-connrefused http://localhost:8080/
check "its port is the guest's" out_is served
run alice curl -sf http://docker.vm:8080/
check "and reached by the VM's name" out_is served
in_guest docker exec web cat /proc/1/comm
check "docker exec runs a program in it" out_is httpd

run alice banger vm restart docker
check "Docker runs again after a restart" eventually 90 alice banger vm exec docker -- docker info </dev/null
in_guest sh -c 'docker images --format "{{.Repository}}"; docker start web'
check "with its image and its container" out_is $'tiny\nweb'
run alice banger vm delete docker
check "nothing is left" nothing_left alice docker
