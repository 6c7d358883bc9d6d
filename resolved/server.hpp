#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "resolved/zone.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace banger::resolved {

/// What a Server allows. The defaults are the product's; tests use smaller ones.
struct ServerOptions {
    /// Lists the host's resolvers, as resolv.conf(5). Read again whenever it changed, also when it
    /// was replaced or is reached by symbolic links.
    std::filesystem::path resolv_conf = "/etc/resolv.conf";
    std::uint16_t upstream_port = 53;
    /// After this without an answer the next resolver is asked as well …
    std::chrono::milliseconds upstream_patience{2000};
    /// … and after this, from the query's arrival, the guest is told SERVFAIL.
    std::chrono::milliseconds upstream_deadline{5000};
    /// Forwarded queries at any one time, each with up to three descriptors: of all guests, and of
    /// one. More are answered SERVFAIL.
    std::size_t max_forwards = 128;
    std::size_t max_forwards_per_client = 48;
    /// A TCP connection on which nothing happens is closed.
    std::chrono::milliseconds tcp_idle{10'000};
    /// More are closed at once.
    std::size_t max_tcp_connections = 64;
    std::size_t max_tcp_connections_per_client = 16;
};

/// Serves a Zone by UDP and TCP, and forwards what guests with NAT ask about the outside to the
/// host's resolvers. One thread, that of the loop.
///
/// Fill the zone first: who was started by a query (socket activation) and answers it before its
/// records are there denies a name that exists.
class Server {
public:
    using SocketId = std::uint64_t;

    /// Both must outlive the server.
    Server(EventLoop &loop, const Zone &zone, ServerOptions options = {});
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;
    ~Server();

    /// Serves a bound IPv4 socket: UDP (SOCK_DGRAM), or TCP (SOCK_STREAM) that already listens.
    /// Sets O_NONBLOCK and, on UDP, IP_PKTINFO: a reply leaves from the address that was asked.
    /// Throws Error{InvalidArgument} for any other socket.
    SocketId add_socket(UniqueFd socket);
    /// Closes the socket and its connections; queries of it that are on their way are forgotten.
    /// An id that is not there is no error.
    void remove_socket(SocketId id) noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace banger::resolved
