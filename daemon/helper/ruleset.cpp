#include "daemon/helper/ruleset.hpp"

#include "daemon/net/guest_link.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace banger::helper {
namespace {

// In one transaction: the table is there, so that it can be deleted, and is then made anew.
std::string replace(const std::string &table) {
    return fmt::format("add table {0}\ndelete table {0}\n", table);
}

// nft(8) takes no empty list of elements.
std::string set_of(const std::string &name, const std::string &type,
                   const std::vector<std::string> &elements) {
    return fmt::format(
        "    set {} {{\n        type {}\n{}    }}\n", name, type,
        elements.empty() ? ""
                         : fmt::format("        elements = {{ {} }}\n", fmt::join(elements, ", ")));
}

template <typename Format>
std::vector<std::string> elements_of(const std::vector<Guest> &guests, Format format) {
    std::vector<std::string> result;
    for (const Guest &guest : guests) {
        if (std::string element = format(guest); !element.empty()) {
            result.push_back(std::move(element));
        }
    }
    return result;
}

std::vector<std::string> quoted(const std::vector<std::string> &names) {
    std::vector<std::string> result;
    result.reserve(names.size());
    for (const std::string &name : names) {
        result.push_back(fmt::format("\"{}\"", name));
    }
    return result;
}

// What a guest sends is checked on its port, before the bridge learns from it. Frames to the
// bridge group addresses (IEEE 802.1D) skip `prerouting` and reach the host on the port itself.
std::string bridge_table(const Segment &segment) {
    const std::string bridge = net::bridge_name(segment.number);
    const auto mac = [](const Guest &guest) {
        return fmt::format("\"{}\" . {}", guest.tap, net::mac_of(guest.address));
    };
    const auto source = [](const Guest &guest) {
        return fmt::format("\"{}\" . {}", guest.tap, guest.address.str());
    };
    const auto sender = [](const Guest &guest) {
        return fmt::format("\"{}\" . {} . {}", guest.tap, net::mac_of(guest.address),
                           guest.address.str());
    };
    std::string text = replace(fmt::format("bridge banger_{}", segment.number));
    text += fmt::format("table bridge banger_{} {{\n", segment.number);
    text += set_of("macs", "ifname . ether_addr", elements_of(segment.guests, mac));
    text += set_of("sources", "ifname . ipv4_addr", elements_of(segment.guests, source));
    text +=
        set_of("senders", "ifname . ether_addr . ipv4_addr", elements_of(segment.guests, sender));
    text += fmt::format(R"(    chain prerouting {{
        type filter hook prerouting priority -300; policy accept;
        iifname "{0}-*" goto from_guest
    }}
    chain input {{
        type filter hook input priority -300; policy accept;
        iifname "{0}-*" ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 drop
    }}
    chain from_guest {{
        iifname . ether saddr != @macs drop
        ether type arp goto arp_from_guest
        ether type ip iifname . ip saddr @sources accept
        drop
    }}
    chain arp_from_guest {{
        arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation {{ request, reply }} iifname . arp saddr ether . arp saddr ip @senders accept
        drop
    }}
}}
)",
                        bridge);
    return text;
}

// Refusals are made in `prerouting`: without forwarding on the bridge the kernel drops what would
// be forwarded, silently, before the forward hook.
std::string inet_table(const Segment &segment, const std::vector<std::string> &uplinks) {
    const auto nat = [](const Guest &guest) { return guest.nat ? guest.address.str() : ""; };
    const auto open = [](const Guest &guest) {
        return guest.allow_host ? guest.address.str() : "";
    };
    std::string text = replace(fmt::format("inet banger_{}", segment.number));
    text += fmt::format("table inet banger_{} {{\n", segment.number);
    text += set_of("nat", "ipv4_addr", elements_of(segment.guests, nat));
    text += set_of("allow_host", "ipv4_addr", elements_of(segment.guests, open));
    text += set_of("uplinks", "ifname", quoted(uplinks));
    text += fmt::format(R"(    chain prerouting {{
        type filter hook prerouting priority -150; policy accept;
        iifname "{bridge}-*" drop
        iifname "{bridge}" goto from_guest
        iifname != "lo" ip saddr {subnet} drop
    }}
    chain from_guest {{
        meta nfproto ipv6 drop
        ip daddr {{ {subnet}, 224.0.0.0/4, 255.255.255.255 }} accept
        fib daddr type local ct state established,related accept
        fib daddr type local ip saddr @allow_host accept
        fib daddr type != local ip saddr @nat accept
        reject with icmp type admin-prohibited
    }}
    chain input {{
        type filter hook input priority -10; policy accept;
        iifname "{bridge}-*" drop
        iifname "{bridge}" goto guest_to_host
        iifname != "lo" ip daddr {subnet} ct state != established,related drop
    }}
    chain guest_to_host {{
        meta nfproto ipv6 drop
        ct state established,related accept
        ip saddr @allow_host accept
        ip daddr {gateway} udp dport 53 accept
        ip daddr {gateway} tcp dport 53 accept
        ip daddr {gateway} icmp type echo-request accept
        pkttype {{ broadcast, multicast }} drop
        reject with icmp type admin-prohibited
    }}
    chain forward {{
        type filter hook forward priority -10; policy accept;
        iifname "{bridge}-*" drop
        iifname "{bridge}" oifname "{bridge}" accept
        iifname "{bridge}" goto guest_to_outside
        oifname "{bridge}" goto outside_to_guest
    }}
    chain guest_to_outside {{
        meta nfproto ipv6 drop
        tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
        ip saddr @nat oifname @uplinks accept
        reject with icmp type admin-prohibited
    }}
    chain outside_to_guest {{
        tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
        ct state established,related accept
        drop
    }}
    chain postrouting {{
        type nat hook postrouting priority 100; policy accept;
        ip saddr @nat oifname @uplinks masquerade
    }}
}}
)",
                        fmt::arg("bridge", net::bridge_name(segment.number)),
                        fmt::arg("subnet", segment.subnet().str()),
                        fmt::arg("gateway", segment.gateway.str()));
    return text;
}

} // namespace

std::string segment_rules(const Segment &segment, const std::vector<std::string> &uplinks) {
    return bridge_table(segment) + inet_table(segment, uplinks);
}

std::string remove_segment_rules(std::uint32_t number) {
    return replace(fmt::format("bridge banger_{}", number)) +
           replace(fmt::format("inet banger_{}", number));
}

std::string uplink_rules(const std::vector<std::string> &opened) {
    std::string text = replace("inet banger_uplinks");
    if (!opened.empty()) {
        text += "table inet banger_uplinks {\n" + set_of("opened", "ifname", quoted(opened)) +
                R"(    chain forward {
        type filter hook forward priority -10; policy accept;
        iifname @opened oifname != "bngr*" drop
    }
}
)";
    }
    return text;
}

} // namespace banger::helper
