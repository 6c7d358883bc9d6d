#include "daemon/helper/links.hpp"

#include "base/error.hpp"
#include "daemon/net/guest_link.hpp"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <net/if.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/nexthop.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace banger::helper {
namespace {

LinkState state_of(rtnl_link *link) {
    const auto text = [](const char *value) { return std::string{value != nullptr ? value : ""}; };
    LinkState state;
    state.index = rtnl_link_get_ifindex(link);
    state.name = text(rtnl_link_get_name(link));
    state.kind = text(rtnl_link_get_type(link));
    state.alias = text(rtnl_link_get_ifalias(link));
    if (nl_addr *mac = rtnl_link_get_addr(link); mac != nullptr) {
        std::array<char, 64> buffer{};
        state.mac = nl_addr2str(mac, buffer.data(), buffer.size());
    }
    state.flags = rtnl_link_get_flags(link);
    state.master = rtnl_link_get_master(link);
    std::uint32_t forwarding = 0;
    if (rtnl_link_inet_get_conf(link, IPV4_DEVCONF_FORWARDING, &forwarding) == 0) {
        state.forwarding = forwarding != 0;
    }
    return state;
}

bool is_ours(const LinkState &link) {
    return net::parse_bridge_name(link.name) || net::parse_tap_name(link.name);
}

nl::Cache routes_of(const Links &links) {
    nl_cache *cache = nullptr;
    nl::check(rtnl_route_alloc_cache(links.socket(), AF_INET, 0, &cache), "list the routes");
    return nl::Cache(cache);
}

std::set<int> links_of_route(rtnl_route *route) {
    std::set<int> indexes;
    for (int i = 0; i < rtnl_route_get_nnexthops(route); ++i) {
        indexes.insert(rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i)));
    }
    return indexes;
}

} // namespace

std::vector<LinkState> Links::all() const {
    nl_cache *raw = nullptr;
    nl::check(rtnl_link_alloc_cache(socket(), AF_UNSPEC, &raw), "list the links");
    const nl::Cache cache(raw);
    std::vector<LinkState> result;
    nl::for_each<rtnl_link>(cache, [&](rtnl_link *link) { result.push_back(state_of(link)); });
    return result;
}

std::optional<LinkState> Links::find(const std::string &name) const {
    rtnl_link *raw = nullptr;
    const int result = rtnl_link_get_kernel(socket(), 0, name.c_str(), &raw);
    // The kernel says ENODEV, which libnl has as NLE_NODEV.
    if (result == -NLE_NODEV || result == -NLE_OBJ_NOTFOUND) {
        return std::nullopt;
    }
    nl::check(result, fmt::format("look up the link {}", name));
    const nl::Link link(raw);
    return state_of(link.get());
}

void Links::change(int index, const std::function<void(rtnl_link *)> &change,
                   std::string_view what) {
    const nl::Link which = nl::new_link();
    rtnl_link_set_ifindex(which.get(), index);
    const nl::Link changes = nl::new_link();
    change(changes.get());
    nl::check(rtnl_link_change(socket(), which.get(), changes.get(), 0), what);
}

void Links::set_alias(const LinkState &link, const LinkLabel &label) {
    change(
        link.index,
        [&](rtnl_link *changes) { rtnl_link_set_ifalias(changes, label.str().c_str()); },
        fmt::format("label the link {}", link.name));
}

void Links::set_forwarding(const LinkState &link, bool on) {
    change(
        link.index,
        [&](rtnl_link *changes) {
            rtnl_link_inet_set_conf(changes, IPV4_DEVCONF_FORWARDING, on ? 1 : 0);
        },
        fmt::format("switch forwarding {} on {}", on ? "on" : "off", link.name));
}

void Links::raise(const LinkState &link) {
    change(
        link.index, [](rtnl_link *changes) { rtnl_link_set_flags(changes, IFF_UP); },
        fmt::format("raise the link {}", link.name));
}

void Links::disable_ipv6(const LinkState &link) {
    const nl::Link which = nl::new_link();
    rtnl_link_set_ifindex(which.get(), link.index);
    const nl::Link changes = nl::new_link();
    rtnl_link_inet6_set_addr_gen_mode(changes.get(), IN6_ADDR_GEN_MODE_NONE);
    const int result = rtnl_link_change(socket(), which.get(), changes.get(), 0);
    if (result != -NLE_AF_NOSUPPORT) { // a kernel without IPv6
        nl::check(result, fmt::format("switch IPv6 addresses off on {}", link.name));
    }
}

void Links::remove(const LinkState &link) {
    const nl::Link which = nl::new_link();
    rtnl_link_set_ifindex(which.get(), link.index);
    const int result = rtnl_link_delete(socket(), which.get());
    if (result != -NLE_NODEV && result != -NLE_OBJ_NOTFOUND) {
        nl::check(result, fmt::format("remove the link {}", link.name));
    }
}

std::vector<Segment> segments_of(const std::vector<LinkState> &links) {
    std::map<std::uint32_t, Segment> segments;
    for (const LinkState &link : links) {
        const auto number = net::parse_bridge_name(link.name);
        const auto label = LinkLabel::parse(link.alias);
        if (number && label && link.kind == "bridge") {
            segments[*number] = {*number, label->owner, label->address, link.index, {}};
        }
    }
    for (const LinkState &link : links) {
        const auto name = net::parse_tap_name(link.name);
        const auto label = LinkLabel::parse(link.alias);
        if (!name || !label || link.kind != "tun") {
            continue;
        }
        const auto segment = segments.find(name->subnet);
        if (segment != segments.end() && segment->second.owner == label->owner &&
            segment->second.subnet().contains(label->address) &&
            label->address.octets[3] == name->host) {
            segment->second.guests.push_back(
                {link.name, label->address, label->allow_host, label->nat});
        }
    }
    std::vector<Segment> result;
    result.reserve(segments.size());
    for (auto &[number, segment] : segments) {
        result.push_back(std::move(segment));
    }
    return result;
}

std::vector<Ipv4Prefix> occupied_networks(const Links &links) {
    std::set<int> ours;
    for (const LinkState &link : links.all()) {
        if (is_ours(link)) {
            ours.insert(link.index);
        }
    }
    std::set<Ipv4Prefix> networks;
    nl::for_each<rtnl_route>(routes_of(links), [&](rtnl_route *route) {
        const Ipv4Prefix network = nl::to_prefix(rtnl_route_get_dst(route));
        const std::set<int> by = links_of_route(route);
        const bool only_ours =
            !by.empty() && std::includes(ours.begin(), ours.end(), by.begin(), by.end());
        if (network.length > 0 && !only_ours) {
            networks.insert(network);
        }
    });
    // A link that is down has addresses, and no routes yet.
    nl_cache *raw = nullptr;
    nl::check(rtnl_addr_alloc_cache(links.socket(), &raw), "list the addresses");
    const nl::Cache addresses(raw);
    nl::for_each<rtnl_addr>(addresses, [&](rtnl_addr *address) {
        if (rtnl_addr_get_family(address) == AF_INET &&
            ours.count(rtnl_addr_get_ifindex(address)) == 0) {
            const Ipv4Prefix local = nl::to_prefix(rtnl_addr_get_local(address));
            networks.insert(Ipv4Prefix::of(
                local.address, static_cast<unsigned>(rtnl_addr_get_prefixlen(address))));
        }
    });
    return {networks.begin(), networks.end()};
}

std::vector<LinkState> uplinks(const Links &links) {
    std::set<int> by_default_route;
    nl::for_each<rtnl_route>(routes_of(links), [&](rtnl_route *route) {
        if (rtnl_route_get_type(route) == RTN_UNICAST &&
            nl::to_prefix(rtnl_route_get_dst(route)).length == 0) {
            by_default_route.merge(links_of_route(route));
        }
    });
    std::vector<LinkState> result;
    for (LinkState &link : links.all()) {
        const bool tunnel = (link.flags & IFF_POINTOPOINT) != 0 && (link.flags & IFF_UP) != 0;
        if ((tunnel || by_default_route.count(link.index) != 0) && !is_ours(link) &&
            (link.flags & IFF_LOOPBACK) == 0) {
            result.push_back(std::move(link));
        }
    }
    std::sort(result.begin(), result.end(),
              [](const LinkState &a, const LinkState &b) { return a.name < b.name; });
    return result;
}

bool forwarding_everywhere(const Links &links) {
    nl_cache *raw = nullptr;
    nl::check(rtnl_netconf_alloc_cache(links.socket(), &raw), "read the forwarding setting");
    const nl::Cache cache(raw);
    const nl::NetConf all(rtnl_netconf_get_all(cache.get(), AF_INET));
    int forwarding = 0;
    return all && rtnl_netconf_get_forwarding(all.get(), &forwarding) == 0 && forwarding != 0;
}

} // namespace banger::helper
