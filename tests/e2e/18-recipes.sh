#!/usr/bin/env bash
# A recipe of one's own: Debian with a further signed archive and a file by its sha256, and parts that are out of
# reach. Built twice it is the same.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

image_of() { alice banger image list --json </dev/null | jq -r ".[] | select(.name == \"$1\") | .$2"; }
property() {
    alice busctl --user --json=short get-property org.banger.Manager "/org/banger/Manager/image/$1" \
        org.banger.Image "$2" </dev/null | jq -c .data
}
left_of_builds() { root sh -c 'find /var/tmp -maxdepth 1 -name "banger-build-*"' </dev/null; }
archive_is_up() { alice curl -sf http://127.0.0.1:8123/debian/dists/stable/InRelease </dev/null; }

# An archive of alice's with one package, and the catalog that names it.
alice sh -eu <<'ALICE'
mkdir -p ~/recipes ~/.config/banger
cd ~/recipes
export GNUPGHOME=$PWD/gnupg
install -d -m 700 gnupg
for who in archive stranger; do
    gpg --batch --quiet --passphrase '' --quick-gen-key "$who@example.org" rsa2048 sign never
    gpg --armor --export "$who@example.org" >"$who.asc"
done
mkdir -p package/DEBIAN package/usr/bin debian/pool debian/dists/stable/main/binary-amd64
cat >package/DEBIAN/control <<CONTROL
Package: greet
Version: 1.0
Architecture: amd64
Maintainer: Alice <alice@example.org>
Description: greets
CONTROL
printf '#!/bin/sh\necho greetings\n' >package/usr/bin/greet
chmod 755 package/usr/bin/greet
deb=pool/greet_1.0_amd64.deb
dpkg-deb --root-owner-group -b package "debian/$deb" >/dev/null
cd debian
index=main/binary-amd64/Packages
{
    dpkg-deb -f "$deb"
    echo "Filename: $deb"
    echo "Size: $(stat -c %s "$deb")"
    echo "SHA256: $(sha256sum "$deb" | cut -d' ' -f1)"
} >"dists/stable/$index"
cd dists/stable
{
    printf 'Suite: stable\nCodename: stable\nArchitectures: amd64\nComponents: main\n'
    echo "Date: $(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
    printf 'SHA256:\n %s %s %s\n' "$(sha256sum "$index" | cut -d' ' -f1)" "$(stat -c %s "$index")" "$index"
} >Release
gpg --batch --quiet --local-user archive@example.org --clearsign --output InRelease Release
gpgconf --kill all
cd ~/recipes
printf '#!/bin/sh\necho a tool\n' >tool
sum() { sha256sum "$1" | cut -d' ' -f1; }
apt_source() {
    jq -n --arg name "$1" --arg key "$2" --arg sum "$3" --arg uri "$4" --argjson packages "$5" \
        '{$name, $uri, suite: "stable", components: ["main"], key: {url: $key, sha256: $sum}, $packages,
          replaces: ["nano"], optional: true}'
}
here=http://127.0.0.1:8123
nowhere=http://127.0.0.1:9
{
    apt_source greetings archive.asc "$(sum archive.asc)" "$here/debian" '["greet"]'
    apt_source nowhere "$nowhere/key" "$(sum archive.asc)" "$nowhere/debian" '["nothing"]'
    apt_source forged stranger.asc "$(sum stranger.asc)" "$here/debian" '["greet"]'
} | jq -s --arg url "$here/tool" --arg sum "$(sum tool)" --arg wrong "$(sum archive.asc)" '{
    format: 1,
    images: [
        {name: "mine", kernel: "debian", recipe: {
            suite: "bookworm", packages: ["nano"], build_size: "500M", image_size: "250M",
            sources: .,
            files: [
                {name: "tool", $url, sha256: $sum, path: "/usr/local/bin/tool", mode: "0755"},
                {name: "altered", $url, sha256: $wrong, path: "/usr/local/bin/altered", optional: true}]}},
        {name: "strict", kernel: "debian", recipe: {
            suite: "bookworm", sources: [.[1] | .optional = false]}}]}' >catalog.json
printf '[[catalog]]\npath = "%s/recipes/catalog.json"\n' "$HOME" >~/.config/banger/config.toml
systemctl --user stop bangerd
systemd-run --user --quiet --collect --unit=archive --working-directory="$HOME/recipes" \
    python3 -m http.server --bind 127.0.0.1 8123
ALICE
check "an archive runs" eventually 20 archive_is_up

LIMIT=600 run alice banger image build one --from mine --include hello
check "an image is built of a recipe of one's own" status_is 0
check "the progress names the part that is out of reach" err_has 'without nowhere: .*127\.0\.0\.1:9'
check "and the archive that is not signed by its key" err_has 'without forged: .*(NO_PUBKEY|not signed|GPG error)'
check "and the file that is not what its sha256 says" err_has 'without altered: .*sha256'
check "the image tells its recipe" [ "$(property one Recipe)" = '"mine"' ]
check "what was asked for beside it" [ "$(property one ExtraPackages)" = '["hello"]' ]
check "and what became of the parts" [ "$(property one Parts | jq -c 'map(.[:2])')" = \
    '[["greetings",true],["nowhere",false],["forged",false],["tool",true],["altered",false]]' ]
check "what a part replaces is not in it" [ "$(property one Packages)" = '["greet","hello"]' ]

LIMIT=600 run alice banger image build two --from mine --include hello
check "the same recipe is built under another name" status_is 0
check "and is the same image" [ "$(image_of two digest)" = "$(image_of one digest)" ]

run alice banger vm run --rm --image one -- sh -c 'greet && hello && tool && exit 42'
check "the programs of all its parts run in it" status_is 42
check "and say what they should" out_is $'greetings\nHello, world!\na tool'
run alice banger vm run --rm --image one -- sh -c '
    cat /etc/apt/sources.list.d/*
    ls /etc/apt/keyrings /usr/local/bin
    stat -c "%a %U %G" /usr/local/bin/tool'
check "its archive is a source of apt's, with its key" out_has '^Signed-By: /etc/apt/keyrings/greetings.asc$'
check "and nothing is there of what was left out" out_lacks 'nowhere|forged|altered'
check "the file belongs to root and may be run" out_has '^755 root root$'

run alice banger image build other --from strict
check "a part that is not optional ends the build" fails
check "soon" within 60
check "with an error that names it" err_has 'part nowhere of the recipe: .*127\.0\.0\.1:9'
run alice banger image build other --from debian-bookworm-minimal --include no-such-package
check "a package that is not there ends the build" fails
check "before anything is installed" within 60
check "with an error that names it" err_has 'no-such-package'
run alice banger image build other --from debian-bookworm-minimal --include='-oAPT::Update::Pre-Invoke=id'
check "what is no package's name is refused" err_has 'no name of a Debian package'
check "and no image comes of it" [ "$(image_of other digest)" = "" ]

run alice banger image delete one two
check "the images are deleted" status_is 0
alice sh -c 'rm -r ~/recipes ~/.config/banger/config.toml; systemctl --user stop archive bangerd' </dev/null
check "nothing is left of the builds" [ -z "$(left_of_builds)" ]
check "nothing is left" nothing_left alice
