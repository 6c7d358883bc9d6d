#pragma once

#include "base/event_loop.hpp"
#include "base/steps.hpp"
#include "daemon/helper/dns_sockets.hpp"
#include "daemon/helper/forwarding.hpp"
#include "daemon/helper/links.hpp"
#include "daemon/helper/nftables.hpp"
#include "daemon/helper/route_monitor.hpp"
#include "daemon/helper/subnet_pool.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace banger::helper {

/// A user's network as it is now.
struct UserNetwork {
    Subnet subnet;
    std::string domain; ///< "vm", "alice.vm"
    int bridge = 0;     ///< interface index; 0: it is not up
    std::vector<Guest> guests;
};

/// What the helper does, for the uid that the bus vouches for. Everything is idempotent; what
/// exists is read from the kernel each time, and a failure undoes what was done. Each method that
/// takes something from the caller checks it first.
class NetworkService {
public:
    struct Settings {
        std::filesystem::path state;   ///< /var/lib/banger-network
        std::filesystem::path runtime; ///< /run/banger-network
        std::filesystem::path config;  ///< /etc/banger/network.toml
    };

    /// Loads the rules of what is there already: of a helper that went idle, was killed or
    /// upgraded.
    NetworkService(EventLoop &loop, Settings settings);

    /// Bridge, rules and address; the first call of a uid gives it a subnet.
    UserNetwork ensure_network(uid_t owner);

    /// The address must be in the owner's subnet, host number 2 to 254. Throws
    /// Error{InvalidArgument}.
    Ipv4 check_address(uid_t owner, const std::string &address) const;
    Guest create_tap(uid_t owner, const Ipv4 &address, bool allow_host);

    /// The name must be one of the owner's taps. Throws Error{InvalidArgument},
    /// Error{NotAuthorized} for another user's, Error{NotFound}.
    Guest check_tap(uid_t owner, const std::string &tap) const;
    /// Succeeds where there is no such tap in the owner's segment.
    void release_tap(uid_t owner, const std::string &tap);
    void set_nat(uid_t owner, const std::string &tap, bool on);

    DnsSockets open_dns_sockets(uid_t owner);
    /// None where the uid has no subnet.
    std::optional<UserNetwork> describe(uid_t owner) const;
    void remove_all(uid_t owner);

    /// While it is, the helper must watch the routes.
    bool nat_is_on() const noexcept { return monitor_.has_value(); }

private:
    Subnet allocate(uid_t owner);
    Subnet subnet_of(uid_t owner) const;
    UserNetwork network_of(const Subnet &subnet) const;
    std::optional<Segment> segment_of(const Subnet &subnet) const;
    LinkState own_link(const Subnet &subnet, const std::string &tap) const;
    LinkState raise_network(const Subnet &subnet, UndoList &undo);
    void load_rules(const Segment &segment);
    void remove_segment(const Segment &segment);
    /// Loads the rules of this segment, and brings forwarding, uplinks and the watch of routes in
    /// line with who has NAT.
    void refresh(std::optional<std::uint32_t> changed);
    void guard_uplinks(const std::vector<LinkState> &uplinks);
    void on_routes_changed();

    EventLoop &loop_;
    Settings settings_;
    mutable Links links_;
    Nftables nftables_;
    SubnetPool pool_;
    UplinkForwarding forwarding_;
    std::optional<RouteMonitor> monitor_;
    std::vector<std::string> uplinks_;               ///< names that the loaded rules have
    std::optional<std::vector<std::string>> opened_; ///< none: not known yet
};

} // namespace banger::helper
