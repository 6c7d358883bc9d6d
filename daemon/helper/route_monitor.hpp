#pragma once

#include "base/event_loop.hpp"
#include "daemon/helper/netlink.hpp"

#include <functional>

namespace banger::helper {

/// Tells, shortly after, that links, IPv4 routes or forwarding settings of the host have changed;
/// many changes in a row are told once.
class RouteMonitor {
public:
    /// Throws Error{NetworkUnavailable}.
    RouteMonitor(EventLoop &loop, std::function<void()> changed);

private:
    void drain();

    EventLoop &loop_;
    std::function<void()> changed_;
    nl::Socket socket_;
    EventSource io_;
    EventSource settle_;
};

} // namespace banger::helper
