#pragma once

#include "base/event_loop.hpp"
#include "base/ipv4.hpp"
#include "base/unique_fd.hpp"
#include "resolved/exchange.hpp"
#include "resolved/quota.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <span>

namespace banger::resolved {

/// Takes the answer to one query, at once or later; empty bytes mean that there is none.
using SendReply = std::function<void(Bytes reply)>;

/// What a listener does with a query. The reply must be called exactly once.
using QueryHandler = std::function<void(std::span<const std::uint8_t> query, Ipv4 client,
                                        Transport transport, SendReply reply)>;

/// A served socket. Destroying it closes it; replies that come later go nowhere.
class Listener {
public:
    Listener() = default;
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;
    virtual ~Listener() = default;
};

/// The socket is bound and does not block. Throws Error.
std::unique_ptr<Listener> listen_udp(EventLoop &loop, UniqueFd socket, QueryHandler handler);

/// The socket listens and does not block. `quota` counts connections and must outlive the
/// listener. Throws Error.
std::unique_ptr<Listener> listen_tcp(EventLoop &loop, UniqueFd socket, Quota &quota,
                                     std::chrono::milliseconds idle, QueryHandler handler);

} // namespace banger::resolved
