#pragma once

#include "daemon/net/network_helper.hpp"

#include <memory>

namespace sdbus {
class IConnection;
}

namespace banger::bus {

/// net::NetworkHelper over the system bus, which starts the helper when it is called. Destroying it
/// drops the calls that are under way; their callbacks are not called then.
class NetworkHelperClient final : public net::NetworkHelper {
public:
    /// The connection must be driven by an event loop (BusPump), and outlive this.
    explicit NetworkHelperClient(sdbus::IConnection &system_bus);
    ~NetworkHelperClient() override;

    void ensure_network(bool interactive, Callback<net::Network> done) override;
    void create_tap(const Ipv4 &address, bool allow_host, bool interactive,
                    Callback<net::Tap> done) override;
    void release_tap(const std::string &tap, Callback<void> done) override;
    void set_nat(const std::string &tap, bool on, bool interactive, Callback<void> done) override;
    void open_dns_sockets(bool interactive, Callback<net::DnsSockets> done) override;
    void describe(Callback<net::NetworkState> done) override;
    void check_authorization(Callback<net::Authorization> done) override;
    void remove_all(Callback<void> done) override;

private:
    class Proxy;
    std::unique_ptr<Proxy> proxy_;
};

} // namespace banger::bus
