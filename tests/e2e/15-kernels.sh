#!/usr/bin/env bash
# A kernel of one's own: imported from files, booted, shown, kept while somebody needs it; and certain ones of Debian's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

kernels() { alice banger kernel list --json </dev/null; }
property_of() { alice banger kernel show "$1" --json </dev/null | jq -rc ".$2"; }
half_made() { root sh -c 'ls -d /home/alice/.local/state/banger/kernels/tmp.*' </dev/null 2>/dev/null; }

run alice banger kernel list --available
check "what the archive has is listed" status_is 0
check "with the newest of each suite" out_has '^debian-trixie +newest +trixie'
check "and each kernel with its package" out_has '^debian-6\.1\.0-[0-9]+-cloud-amd64 +6\.1\.[0-9]+-[0-9]+ +bookworm'
newest=$(kernels | jq -r '[.[] | select(.suite == "bookworm")][0].name')
check "what is here is marked" out_has "^$newest .* yes\$"
older=$(awk '$1 ~ /^debian-6\.1\.0-/ && $4 != "yes" { print $1; exit }' <<<"$out")

run alice banger kernel show debian
check "the newest is shown by its suite's name" out_has "Name: $newest"
check "it has all that Docker needs" out_has 'Missing: nothing'
run alice banger kernel show nope
check "an unknown one is an error" status_is 1
check "of one line that names it" err_has "there is no kernel 'nope'"
run alice banger kernel pull debian-6.1.0-1-cloud-amd64
check "one that the archive has no more is an error" fails
check "that lists what there is" err_has "debian-6\.1\.0-1-cloud-amd64.*there are: .*$newest"

# Debian's kernel as files: a boot/ and a lib/modules/, as its package has them.
release=${newest#debian-}
alice sh -eu -c '
    mkdir -p ~/kernels/package ~/kernels/broken && cd ~/kernels
    apt-get -qq download "linux-image-$1"
    dpkg-deb -x linux-image-*.deb package
    # Another place for the kernel alone, and things that are none.
    cp package/boot/vmlinuz-* vmlinuz
    cp ~/.local/state/banger/kernels/"$2"/vmlinux vmlinux
    head -c 100000 /dev/urandom >broken/noise
    head -c 4000000 vmlinuz >broken/short
    printf "#!/bin/sh\n" >broken/script
    cp package/lib/modules/*/kernel/fs/overlayfs/overlay.ko broken/module
    mkdir -p broken/link/boot && ln -s /etc/hostname broken/link/boot/vmlinuz-1
    mkdir -p broken/other/lib/modules && cp -r package/boot broken/other/
    mkdir -p "broken/other/lib/modules/5.10.0-other/kernel"
    # An initrd of a user'"'"'s own.
    mkdir -p tree/etc && echo of-my-own >tree/etc/mine
    (cd tree && find . | busybox cpio -o -H newc | gzip) >initrd' sh "$release" "$newest" </dev/null
check "Debian's kernel is there as files" alice test -e kernels/vmlinux

run alice banger kernel import mine --from kernels/package --initrd kernels/initrd --distro own
check "a directory with kernel and modules is imported by its relative path" status_is 0
check "its name is printed" out_is mine
run alice banger kernel show mine
check "its release is that of the kernel itself" out_has "Version: $release"
check "it says where it came from" out_has 'Source: /home/alice/kernels/package'
check "and that it has an initrd" out_has 'Initrd: yes'
check "and lacks nothing" out_has 'Missing: nothing'
run alice banger kernel list
check "the list has it" out_has "^mine +$release +/home/alice/kernels/package"

run alice banger vm run --name sandbox --kernel mine "${PATIENCE[@]}" -- \
    sh -c 'uname -r; modprobe -n -v br_netfilter >/dev/null && modprobe veth && lsmod | grep -c ^veth; exit 42'
check "a VM boots with it to a command's exit status" status_is 42
check "with its release and its modules" out_is "$release"$'\n'1
check "it is in use" [ "$(property_of mine used_by)" = '["vm/sandbox"]' ]
run alice banger kernel rm mine
check "and not deleted" fails
check "with who needs it" err_has 'in use by vm/sandbox'
run alice banger kernel import mine --from kernels/package --force
check "nor replaced" err_has 'in use by vm/sandbox'
run alice banger vm delete sandbox
run alice banger kernel import mine --from kernels/package
check "a taken name is refused" err_has "there is a kernel 'mine' already"
before=$(property_of mine digest)
run alice banger kernel import mine --from kernels/vmlinuz --modules kernels/package/lib/modules --force
check "with --force it is replaced: from a file, and its modules beside it" status_is 0
check "without the initrd it is another" [ "$(property_of mine digest)" != "$before" ]
check "and the same as Debian's package gives" [ "$(property_of mine digest)" = "$(property_of "$newest" digest)" ]

run alice banger kernel import bare --from kernels/vmlinux
check "a bare vmlinux is imported" status_is 0
check "with a warning that its drivers could not be looked for" err_has 'warning: .*could not be checked'
check "and without modules" [ "$(property_of bare has_modules)" = false ]

# refused DESCRIPTION REASON ARGUMENTS…
refused() {
    local description=$1 reason=$2
    shift 2
    run alice banger kernel import broken "$@"
    check "$description is refused" fails
    err=$(tail -n 1 <<<"$err")
    check "$description: with the reason, in one line" err_has "$reason"
}
refused "noise" 'no kernel: neither an ELF file nor a bzImage' --from kernels/broken/noise
refused "half a kernel" 'lies outside of it' --from kernels/broken/short
refused "a script" 'too short for a kernel' --from kernels/broken/script
refused "a module" 'cannot be executed' --from kernels/broken/module
refused "what is not there" 'neither a file nor a directory' --from kernels/nowhere
refused "a directory without a kernel" 'there is no kernel in' --from kernels/broken
refused "a link that leads outside" 'leads outside' --from kernels/broken/link
refused "a kernel with another's modules" "the kernel is $release.*5\.10\.0-other" --from kernels/broken/other
refused "an initrd that is none" 'no initramfs' --from kernels/package --initrd kernels/broken/noise
run alice banger kernel import debian --from kernels/package --force
check "a name of Debian's is refused" err_has "means a kernel of Debian's"
run alice banger kernel import '../mine' --from kernels/package
check "a name that leads elsewhere is refused" fails
check "nothing of all that is listed" [ "$(kernels | jq -c '[.[].name] | sort')" = "[\"bare\",\"$newest\",\"mine\"]" ]
check "nothing is left half made" test -z "$(half_made)"

# One certain kernel of Debian's, pulled because a VM wants it.
run alice banger vm create --name exact --kernel "$older"
check "a VM may be made with an older kernel of Debian's, which is then pulled" status_is 0
run alice banger kernel show "$older"
check "it is that one" out_has "Version: ${older#debian-}"
check "and needed by the VM" out_has 'Used by: vm/exact'
run alice banger kernel show debian
check "'debian' still means the newest" out_has "Name: $newest"
run alice banger kernel pull "$older"
check "a pull of what is here asks nobody" within 5
run alice banger vm delete exact
run alice banger kernel rm "$older" mine nope bare
check "several are deleted, and an unknown one stops no other" out_is "$older: deleted"$'\n''mine: deleted'$'\n''bare: deleted'
check "and is told" err_has "there is no kernel 'nope'"
check "with the exit status" status_is 1
check "they are gone" [ "$(kernels | jq -c '[.[].name]')" = "[\"$newest\"]" ]
alice rm -rf kernels </dev/null
check "nothing is left" nothing_left alice
