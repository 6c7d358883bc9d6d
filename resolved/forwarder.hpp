#pragma once

#include "base/event_loop.hpp"
#include "resolved/exchange.hpp"
#include "resolved/nameservers.hpp"
#include "resolved/quota.hpp"
#include "resolved/server.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace banger::resolved {

/// Puts guests' queries to the host's resolvers: the first, and when it does not answer in time,
/// cannot be reached or answers with a failure, the next ones too. The first answer wins.
class Forwarder {
public:
    /// Called once, perhaps before forward() returns. The reply is SERVFAIL if there was none.
    using Done = std::function<void(Bytes reply)>;

    Forwarder(EventLoop &loop, const ServerOptions &options);
    Forwarder(const Forwarder &) = delete;
    Forwarder &operator=(const Forwarder &) = delete;
    ~Forwarder();

    /// `query` is the message of an Answer that said Forward.
    void forward(Bytes query, Ipv4 client, Transport transport, Done done);

private:
    class Forward;

    EventLoop &loop_;
    const ServerOptions &options_;
    Nameservers nameservers_;
    Quota quota_;
    std::map<std::uint64_t, std::unique_ptr<Forward>> forwards_;
    std::uint64_t next_id_ = 0;
};

} // namespace banger::resolved
