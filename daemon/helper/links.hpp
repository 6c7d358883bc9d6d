#pragma once

#include "daemon/helper/netlink.hpp"
#include "daemon/helper/segment.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::helper {

/// A link as the kernel has it now.
struct LinkState {
    int index = 0;
    std::string name;
    std::string kind;   ///< "bridge", "tun" …; "" for hardware
    std::string alias;  ///< IFLA_IFALIAS
    std::string mac;    ///< lower case
    unsigned flags = 0; ///< IFF_*
    int master = 0;
    bool forwarding = false; ///< IPv4, its own
};

/// The links of this network namespace. Blocking; each call is one question to the kernel.
class Links {
public:
    Links() : socket_(nl::connect()) {}

    std::vector<LinkState> all() const;
    std::optional<LinkState> find(const std::string &name) const;

    /// Changes what `change` sets on an otherwise empty link object. `what` completes "could not".
    void change(int index, const std::function<void(rtnl_link *)> &change, std::string_view what);
    void set_alias(const LinkState &link, const LinkLabel &label);
    void set_forwarding(const LinkState &link, bool on);
    void raise(const LinkState &link);
    /// The link gets no IPv6 address by itself: guests have no IPv6, so the host needs none there.
    void disable_ipv6(const LinkState &link);
    /// Succeeds also where the link is gone.
    void remove(const LinkState &link);

    nl_sock *socket() const noexcept { return socket_.get(); }

private:
    nl::Socket socket_;
};

/// banger's segments, from the names and labels of the links alone. What does not fit together is
/// not ours.
std::vector<Segment> segments_of(const std::vector<LinkState> &links);

/// The networks that this host reaches by other links than banger's: routes of all tables and
/// addresses, but for default routes.
std::vector<Ipv4Prefix> occupied_networks(const Links &links);

/// The links by which guests may leave: those of default routes in any table, and tunnels
/// (IFF_POINTOPOINT) that are up, so that a VPN serves guests too. By name, sorted.
std::vector<LinkState> uplinks(const Links &links);

/// Whether net.ipv4.ip_forward is on.
bool forwarding_everywhere(const Links &links);

} // namespace banger::helper
