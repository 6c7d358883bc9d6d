#pragma once

#include "base/event_loop.hpp"
#include "daemon/net/network_helper.hpp"
#include "resolved/server.hpp"
#include "resolved/zone.hpp"

#include <optional>
#include <string>
#include <vector>

namespace banger {

/// The sockets that systemd handed over (sd_listen_fds(3)), by name.
struct NamedSocket {
    std::string name;
    UniqueFd fd;
};
std::vector<NamedSocket> take_listen_fds();

/// The DNS server of this user: on the loopback port of bangerd.socket, and on port 53 of the
/// bridge. The latter sockets come from the network helper and are kept in systemd's descriptor
/// store, so that a killed bangerd answers again at once.
class DnsService {
public:
    /// Serve only when the zone is filled: what was handed over may hold queries already.
    DnsService(EventLoop &loop, const resolved::Zone &zone, net::NetworkHelper &helper);
    DnsService(const DnsService &) = delete;
    DnsService &operator=(const DnsService &) = delete;

    /// Takes the sockets that were handed over; without one for loopback, binds `port` or one of
    /// the next few.
    void serve(std::vector<NamedSocket> sockets, std::uint16_t port);
    /// Asks the helper for the sockets on this network's bridge, unless they are there.
    void serve_bridge(const net::Network &network);

    /// 0: none could be bound.
    std::uint16_t loopback_port() const noexcept { return loopback_port_; }
    /// The address on which port 53 is served; none while there is no bridge.
    const std::optional<Ipv4> &bridge_address() const noexcept { return bridge_address_; }

private:
    void bind_loopback(std::uint16_t port);

    net::NetworkHelper &helper_;
    resolved::Server server_;
    std::uint16_t loopback_port_ = 0;
    std::optional<Ipv4> bridge_address_;
    std::vector<resolved::Server::SocketId> bridge_sockets_;
    bool asking_ = false;
};

} // namespace banger
