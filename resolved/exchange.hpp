#pragma once

#include "base/event_loop.hpp"
#include "resolved/message.hpp"
#include "resolved/nameservers.hpp"

#include <functional>
#include <memory>

namespace banger::resolved {

enum class Transport { Udp, Tcp };

/// One query put to one resolver, from a socket of its own: so the kernel picks a random source
/// port and lets nobody else's datagrams in. Destroying it gives up, also from inside its callback.
class Exchange {
public:
    /// Called once: with the reply, its id and question being those of the query; or with nothing,
    /// if the resolver cannot be reached or talks nonsense.
    using Done = std::function<void(Bytes reply)>;

    Exchange() = default;
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;
    virtual ~Exchange() = default;
};

/// Sends `query`, one message with one question directly after its header, under a fresh random
/// id. `done` is only called from the loop. Throws Error if there is no socket to be had.
std::unique_ptr<Exchange> start_exchange(EventLoop &loop, const SocketAddress &server,
                                         Transport transport, const Bytes &query,
                                         Exchange::Done done);

} // namespace banger::resolved
