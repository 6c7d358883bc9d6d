#!/usr/bin/env bash
# Alice publishes an image and a kernel by a plain web server; bob, who has neither, pulls and boots them by their names of the catalog.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

url=http://127.0.0.1:8017
server_is_up() { bob curl -sf "$url/catalog.json" </dev/null; }
digest_of() { as "$1" banger image list --json </dev/null | jq -r --arg name "$2" '.[] | select(.name == $name) | .digest'; }

# An image of one layer, with busybox alone.
alice sh -eu <<'ALICE'
mkdir -p ~/bundles/public ~/bundles/root/bin
cd ~/bundles
cp /bin/busybox root/bin/busybox
ln -s busybox root/bin/sh
umoci init --layout image
umoci new --image image:1
umoci insert --rootless --image image:1 root/ /
umoci config --image image:1 --config.env GREETING=hello --config.cmd /bin/sh
ALICE
run alice banger image pull oci:bundles/image:1 --name tools
check "alice has an image" status_is 0

run alice banger image bundle tools -o bundles/public/tools.tar.zst
check "she makes a bundle of it" status_is 0
image_entry=$out
check "and is told its entry" jq -e '.name == "tools" and .kernel == "debian" and .bundle.url == "tools.tar.zst"' >/dev/null <<<"$out"
sum=$(jq -r .bundle.sha256 <<<"$out")
run alice sha256sum bundles/public/tools.tar.zst
check "with the sha256 of the file" out_has "^$sum "
run alice banger image bundle tools -o bundles/public/tools.tar.zst
check "a file that is there is not replaced" fails
check "unless asked" err_has '--force'
run alice banger image bundle tools -o bundles/public/tools.tar.zst --force
check "with --force it is" status_is 0
check "by an equal one" [ "$(jq -r .bundle.sha256 <<<"$out")" = "$sum" ]
run alice tar --zstd -tf bundles/public/tools.tar.zst
check "tar lists it" out_is $'manifest.json\nrootfs.ext4'
run alice banger kernel bundle debian -o bundles/public/kernel.tar.zst
check "she makes a bundle of the kernel" status_is 0
kernel_entry=$out

jq -n --argjson image "$image_entry" --argjson kernel "$kernel_entry" '{format: 1,
    images: [$image + {name: "published-tools", description: "busybox of alice", kernel: "published-kernel"}],
    kernels: [$kernel + {name: "published-kernel"}]}' | alice sh -c 'cat >bundles/public/catalog.json'
alice sh -c 'systemd-run --user --quiet --collect --unit=web python3 -m http.server --bind 127.0.0.1 \
    --directory ~/bundles/public 8017' </dev/null
check "a web server has them" eventually 20 server_is_up

run bob banger image list --available
check "bob's catalog does not have them" out_lacks published-tools
bob sh -c "mkdir -p ~/.config/banger && printf '[[catalog]]\nurl = \"%s/catalog.json\"\n' $url >~/.config/banger/config.toml" </dev/null
run bob banger image pull published-tools
check "a name that is in the catalog of a server alone is pulled" status_is 0
check "its name is printed" out_is published-tools
check "it is alice's image" [ "$(digest_of bob published-tools)" = "$(digest_of alice tools)" ]
run bob banger image list --available
check "the list of what is available names it, its kernel, and where it is from" \
    out_has "^published-tools +busybox of alice +published-kernel +$url/catalog.json +yes"
check "beside what is built in" out_has '^debian-bookworm .* built in'
run bob banger doctor
check "doctor has nothing against the catalog" out_has '^PASS +catalog '

run bob banger vm run --rm --image published-tools -- /bin/sh -c 'echo "$GREETING from $(busybox uname -r)"; exit 42'
check "it boots, and gives the command's exit status" status_is 42
check "with the image's variables and the published kernel" out_has '^hello from [0-9]'
run bob banger kernel list -q
check "which was pulled for it" out_has '^published-kernel$'

alice sh -c 'echo "{\"format\": 1, \"imagez\": []}" >bundles/public/catalog.json' </dev/null
run bob banger image list --available
check "a catalog that is damaged does no harm" status_is 0
check "is told of" err_has "$url/catalog.json.*imagez.*last copy stays in use"
check "and the last copy stays in use" out_has '^published-tools '
alice systemctl --user stop web </dev/null
run bob banger image list --available
check "neither does a server that is gone" out_has '^published-tools '
check "which is told of, too" err_has "warning: .*$url/catalog.json"
run bob banger image list --available --offline
check "offline nobody is asked" [ -z "$err" ]

run bob banger image delete published-tools
check "the image is deleted" status_is 0
run bob banger image pull published-tools
check "and pulled again without its server, from the cache" status_is 0
run bob banger image delete published-tools
run bob banger kernel rm published-kernel
check "the kernel is deleted" status_is 0
bob rm -f .config/banger/config.toml </dev/null
alice sh -c 'banger image delete tools && rm -rf bundles' </dev/null >/dev/null
check "nothing is left" nothing_left bob
