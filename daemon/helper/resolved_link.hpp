#pragma once

#include "base/event_loop.hpp"
#include "base/ipv4.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sdbus {
class IConnection;
class IProxy;
} // namespace sdbus

namespace banger::helper {

/// What systemd-resolved is told about a bridge.
struct LinkDns {
    int ifindex = 0;
    Ipv4 server;
    std::vector<std::string> domains; ///< routing-only
};

/// org.freedesktop.resolve1(5), for the links of banger's. Status texts are "registered", "absent"
/// (no systemd-resolved on this host, which is fine) or what went wrong.
class ResolvedLinks {
public:
    using Done = std::function<void(const std::string &status)>;

    ResolvedLinks(EventLoop &loop, sdbus::IConnection &system_bus);
    ~ResolvedLinks();

    /// Registers the link; the registration goes with the link.
    void add(const LinkDns &link, Done done);
    /// Whether systemd-resolved has the link registered.
    void query(const LinkDns &link, Done done);

private:
    class Registration;

    EventLoop &loop_;
    std::shared_ptr<sdbus::IProxy> manager_;
};

} // namespace banger::helper
