# shellcheck shell=bash
# The box's network: a namespace of its own, a veth pair to this machine, and one masquerade rule, so that apt
# works inside. Everything else the box does on the network stays in its namespace.

box_netns() { echo "banger-$BOX_NAME"; }

# The resolver of this machine that can be asked from another namespace.
machine_resolver() {
    local file
    for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
        awk '$1 == "nameserver" && $2 !~ /^127\./ && $2 !~ /:/ { print $2; found = 1; exit }
             END { exit !found }' "$file" 2>/dev/null && return
    done
    die "no resolver that a network namespace can reach: /etc/resolv.conf names only this machine itself"
}

# The number of this box's veth pair and subnet: the lowest that no other box has.
free_network_number() {
    local number
    for number in $(seq 1 250); do
        ip link show "bngrbox$number" >/dev/null 2>&1 || {
            echo "$number"
            return
        }
    done
    die "250 boxes are up: take one down"
}

network_up() {
    local number link subnet mtu
    number=$(free_network_number)
    link=bngrbox$number
    subnet=10.231.$number
    mtu=$(ip -o link show "$(ip -o route get 192.0.2.1 | sed -n 's/.* dev \([^ ]*\).*/\1/p')" |
        sed -n 's/.* mtu \([0-9]*\).*/\1/p')
    echo "$link" >"$BOX_STATE/link"

    ip netns add "$(box_netns)"
    ip link add "$link" mtu "${mtu:-1500}" type veth \
        peer name eth0 mtu "${mtu:-1500}" netns "$(box_netns)"
    ip addr add "$subnet.1/30" dev "$link"
    ip link set "$link" up
    ip -n "$(box_netns)" link set lo up
    ip -n "$(box_netns)" addr add "$subnet.2/30" dev eth0
    ip -n "$(box_netns)" link set eth0 up
    ip -n "$(box_netns)" route add default via "$subnet.1"

    [ -e "$BOXES/.ip_forward" ] || cat /proc/sys/net/ipv4/ip_forward >"$BOXES/.ip_forward"
    echo 1 >/proc/sys/net/ipv4/ip_forward
    nft -f - <<RULES
table ip $(box_netns) {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        ip saddr $subnet.2 oifname != "$link" masquerade
    }
}
RULES
}

network_down() {
    nft delete table ip "$(box_netns)" 2>/dev/null || true
    if [ -s "$BOX_STATE/link" ]; then
        ip link delete "$(cat "$BOX_STATE/link")" 2>/dev/null || true
    fi
    ip netns delete "$(box_netns)" 2>/dev/null || true
    # The last box gives forwarding back as the first one found it.
    if [ -e "$BOXES/.ip_forward" ] && ! nft list tables ip | grep -q ' banger-'; then
        cat "$BOXES/.ip_forward" >/proc/sys/net/ipv4/ip_forward
        rm -f "$BOXES/.ip_forward"
    fi
}
