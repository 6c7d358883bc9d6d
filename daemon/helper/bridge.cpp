#include "daemon/helper/bridge.hpp"

#include "base/error.hpp"
#include "daemon/net/guest_link.hpp"

#include <netlink/route/link/bridge.h>

namespace banger::helper {
namespace {

LinkState look_up(const Links &links, const std::string &name) {
    auto link = links.find(name);
    if (!link) {
        fail(ErrorCode::NetworkUnavailable, "the link {} has vanished; try again", name);
    }
    return *link;
}

void make(Links &links, const std::string &name, const std::string &mac) {
    const nl::Link bridge(nl::check(rtnl_link_bridge_alloc(), "make a bridge object"));
    rtnl_link_set_name(bridge.get(), name.c_str());
    rtnl_link_set_addr(bridge.get(), nl::hardware_address(mac).get());
    nl::check(rtnl_link_add(links.socket(), bridge.get(), NLM_F_CREATE | NLM_F_EXCL),
              fmt::format("make the bridge {}", name));
}

void add_gateway(Links &links, const LinkState &bridge, const Subnet &subnet) {
    const nl::LinkAddress address(nl::check(rtnl_addr_alloc(), "make an address object"));
    rtnl_addr_set_ifindex(address.get(), bridge.index);
    const Ipv4Prefix gateway{subnet.gateway(), subnet.prefix.length};
    nl::check(rtnl_addr_set_local(address.get(), nl::to_address(gateway).get()), "set an address");
    const int result = rtnl_addr_add(links.socket(), address.get(), NLM_F_EXCL);
    if (result != -NLE_EXIST) {
        nl::check(result, fmt::format("give {} the address {}", bridge.name, gateway.str()));
    }
}

// The subnet was free when the user got it. A link that has it since would take its traffic.
void check_free(const Links &links, const Subnet &subnet) {
    for (const Ipv4Prefix &network : occupied_networks(links)) {
        if (network.length >= subnet.prefix.length && network.overlaps(subnet.prefix)) {
            fail(ErrorCode::NetworkUnavailable,
                 "the network {} of uid {} is taken by {} on another link of this host; free that "
                 "one, then try again",
                 subnet.prefix.str(), subnet.owner, network.str());
        }
    }
}

} // namespace

LinkState ensure_bridge(Links &links, const Subnet &subnet, UndoList &undo) {
    const std::string name = net::bridge_name(subnet.number);
    const std::string mac = net::mac_of(subnet.gateway());
    const LinkLabel label{subnet.owner, subnet.gateway()};

    auto bridge = links.find(name);
    if (!bridge) {
        check_free(links, subnet);
        make(links, name, mac);
        bridge = look_up(links, name);
        undo.add("make the bridge " + name, [&links, made = *bridge] { links.remove(made); });
    }
    // A bridge with exactly our MAC and no label is one whose maker was killed half-way.
    if (bridge->kind != "bridge" ||
        (bridge->alias != label.str() && (!bridge->alias.empty() || bridge->mac != mac))) {
        fail(ErrorCode::NetworkUnavailable,
             "there is a link {} that banger did not make; rename or remove it, then try again",
             name);
    }
    if (bridge->alias.empty()) {
        links.set_alias(*bridge, label);
    }
    add_gateway(links, *bridge, subnet);
    links.disable_ipv6(*bridge);
    return look_up(links, name);
}

} // namespace banger::helper
