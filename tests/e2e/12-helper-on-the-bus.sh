#!/usr/bin/env bash
# The helper believes nobody: on the system bus each user gets what is theirs, and an error for anything else.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# helper USER METHOD [TYPE:VALUE…]
helper() {
    run "$1" dbus-send --system --print-reply --dest=org.banger.NetworkHelper /org/banger/NetworkHelper \
        "org.banger.NetworkHelper.$2" "${@:3}"
}
# refused DESCRIPTION KIND WORDS USER METHOD [TYPE:VALUE…]: with the error's name and words.
refused() {
    local description=$1 kind=$2 words=$3
    shift 3
    helper "$@"
    check "$description is refused" fails
    check "$description: by a name that a program can tell" err_has "org\.banger\.Error\.$kind\b"
    check "$description: in words" err_has "$words"
}
everything() {
    # The tables in an order of ours: one that was loaded again is the last.
    root sh -c '
        ip -o link; ip -o address; cat /var/lib/banger-network/subnets.json
        nft list tables | sort | while read -r table; do nft -s list $table; done' </dev/null
}

run alice banger vm run --name sandbox -- true
check "alice has a machine" status_is 0
run bob banger vm run --name sandbox -- true
check "bob has one too" status_is 0
alices=$(alice banger vm show sandbox --json </dev/null | jq -r .ip_address)
bobs=$(bob banger vm show sandbox --json </dev/null | jq -r .ip_address)
helper alice Describe
alices_tap=$(grep -oE 'bngr[0-9]+-[0-9]+' <<<"$out")
check "alice is told of her tap alone" test "$(wc -l <<<"$alices_tap")" -eq 1
helper bob Describe
bobs_tap=$(grep -oE 'bngr[0-9]+-[0-9]+' <<<"$out")
check "bob of his" test -n "$bobs_tap" -a "$bobs_tap" != "$alices_tap"
root sh -c '
    ip tuntap add mine mode tap user alice
    ip tuntap add "$1" mode tap user alice' sh "${alices_tap%-*}-200" </dev/null

before=$(everything)
refused "to release another user's tap" NotAuthorized "$bobs_tap" alice ReleaseTap "string:$bobs_tap"
refused "NAT for another user's tap" NotAuthorized "$bobs_tap" \
    alice SetNAT "string:$bobs_tap" boolean:true boolean:false
refused "another user's address" InvalidArgument "$bobs" alice CreateTap "string:$bobs" boolean:false boolean:false
for address in 8.8.8.8 127.0.0.1 "${alices%.*}.1" "${alices%.*}.0" "${alices%.*}.255" "$alices.1" '' "$alices;" ::1; do
    refused "the address '$address'" InvalidArgument address \
        alice CreateTap "string:$address" boolean:false boolean:false
done
for link in lo eth0 mine "${alices_tap%-*}" ../mine "$alices_tap " "${alices_tap}0000" '' 'x"; flush ruleset; "'; do
    refused "the link '$link'" InvalidArgument 'tap' alice ReleaseTap "string:$link"
done
refused "a tap that somebody made under a name of ours" NotAuthorized 'not a tap that banger made' \
    alice ReleaseTap "string:${alices_tap%-*}-200"
refused "to make it again" NotAuthorized 'not a tap that banger made' \
    alice CreateTap "string:${alices%.*}.200" boolean:false boolean:false
refused "a network for who is in no group and has no session" NotAuthorized 'usermod -aG banger carol' \
    carol EnsureNetwork boolean:false
refused "her sockets for DNS" NotAuthorized 'usermod -aG banger carol' carol OpenDNSSockets boolean:false
helper carol Describe
check "she may ask what there is of hers" status_is 0
helper carol RemoveAll
check "and take it away, which is nothing" status_is 0
check "links, addresses, rules and subnets are as they were" diff <(echo "$before") <(everything)
run alice banger vm exec sandbox -- true
check "alice's machine runs on" status_is 0
run bob banger vm exec sandbox -- true
check "and bob's" status_is 0

run root systemd-analyze security --no-pager banger-network-helper.service
exposure=$(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p' <<<"$out")
echo "# exposure: $exposure (bar 2.0)"
check "systemd-analyze security finds an exposure of 2.0 at most" \
    awk -v a="$exposure" 'BEGIN { exit !(a != "" && a <= 2.0) }'

root sh -c 'ip link del mine; ip link del "$1"' sh "${alices_tap%-*}-200" </dev/null
alice banger vm delete sandbox </dev/null >/dev/null 2>&1
bob banger vm delete sandbox </dev/null >/dev/null 2>&1
check "nothing is left" nothing_left alice
