#include "daemon/helper/route_monitor.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace banger::helper {

using namespace std::chrono_literals;

RouteMonitor::RouteMonitor(EventLoop &loop, std::function<void()> changed)
    : loop_(loop), changed_(std::move(changed)), socket_(nl::connect()) {
    nl::check(nl_socket_add_memberships(socket_.get(), RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE,
                                        RTNLGRP_IPV4_NETCONF, 0),
              "watch the host's routes");
    nl::check(nl_socket_set_nonblocking(socket_.get()), "watch the host's routes");
    io_ = loop_.add_io(nl_socket_get_fd(socket_.get()), EPOLLIN, [this](auto) { drain(); });
}

// What changed is read anew, so the messages themselves do not matter, nor that some were lost
// (ENOBUFS).
void RouteMonitor::drain() {
    std::array<char, 16384> buffer;
    for (;;) {
        const auto size = recv(nl_socket_get_fd(socket_.get()), buffer.data(), buffer.size(),
                               MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && errno != ENOBUFS && errno != EINTR) {
            break;
        }
    }
    if (!settle_) {
        settle_ = loop_.add_timer(200ms, [this] {
            // The receiver may end the watch.
            const auto changed = changed_;
            settle_.reset();
            changed();
        });
    }
}

} // namespace banger::helper
