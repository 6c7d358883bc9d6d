#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "dns_message.hpp"

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace banger::test {

constexpr const char *bridge_address = "172.16.5.1";
constexpr const char *guest_address = "172.16.5.2";
constexpr const char *nat_guest_address = "172.16.5.3";
constexpr const char *stranger_address = "172.16.9.9";

/// Puts this process into a network of its own, in which all of 172.16.0.0/16 is this machine.
/// Empty if that worked (also if it was done before), else why not, for GTEST_SKIP.
std::string enter_own_network();

/// A socket bound to `address`, on any port or the one given; `type` is SOCK_DGRAM or SOCK_STREAM
/// (not yet listening).
UniqueFd bind_socket(int type, const std::string &address, std::uint16_t port = 0);
std::uint16_t port_of(int fd);
sockaddr_in socket_address(const std::string &address, std::uint16_t port);

/// Runs the loop until `done`, for at most 5 s (or `limit`); false if it never was.
bool run_until(EventLoop &loop, const std::function<bool()> &done,
               std::chrono::milliseconds limit = std::chrono::seconds{5});

/// A client of the server under test, on a loop that both share.
class UdpClient {
public:
    UdpClient(EventLoop &loop, const std::string &address)
        : loop_(loop), socket_(bind_socket(SOCK_DGRAM, address)) {}

    void send(const Bytes &message, const std::string &server, std::uint16_t port);
    /// Nothing if none comes within `limit`.
    std::optional<Bytes> receive(std::chrono::milliseconds limit = std::chrono::seconds{5});
    /// Where the last message came from, "172.16.5.1".
    const std::string &sender() const noexcept { return sender_; }

private:
    EventLoop &loop_;
    UniqueFd socket_;
    std::string sender_;
};

class TcpClient {
public:
    TcpClient(EventLoop &loop, const std::string &address, const std::string &server,
              std::uint16_t port);

    void send_raw(const Bytes &bytes);
    /// With the length in front.
    void send(const Bytes &message);
    /// Sends until neither the server nor a buffer on the way takes more.
    void flood(const Bytes &message);
    /// Whether the server ends the connection within 5 s, told without reading anything.
    bool is_cut_off();
    /// Says that no more will be sent.
    void finish();
    /// Nothing if the server closed the connection, or if none comes within `limit`.
    std::optional<Bytes> receive(std::chrono::milliseconds limit = std::chrono::seconds{5});
    /// Whether the server ends the connection within `limit`.
    bool is_closed(std::chrono::milliseconds limit = std::chrono::seconds{5});

private:
    bool fill(std::size_t size, std::chrono::milliseconds limit);

    EventLoop &loop_;
    UniqueFd socket_;
    Bytes in_;
    bool closed_ = false;
};

/// A resolver for what is outside, on UDP and TCP. It answers as it is told.
class Upstream {
public:
    struct Asked {
        Bytes query;
        std::uint16_t source_port;
        bool tcp;
    };
    /// Empty bytes: no answer.
    using Behaviour = std::function<Bytes(const Bytes &query)>;

    Upstream(EventLoop &loop, const std::string &address, std::uint16_t port, Behaviour behaviour);

    const std::vector<Asked> &asked() const noexcept { return asked_; }

private:
    void serve_udp();
    void serve_tcp();

    EventLoop &loop_;
    Behaviour behaviour_;
    UniqueFd udp_;
    UniqueFd tcp_;
    std::vector<Asked> asked_;
    std::deque<UniqueFd> connections_;
    std::deque<EventSource> connection_sources_;
    EventSource udp_source_;
    EventSource tcp_source_;
};

} // namespace banger::test
