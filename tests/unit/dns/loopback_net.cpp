#include "loopback_net.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace banger::test {

namespace {

bool readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return poll(&entry, 1, 0) == 1;
}

ifreq request_for(const char *name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return request;
}

bool set_address(int fd, unsigned long operation, const char *name, const char *address) {
    ifreq request = request_for(name);
    const sockaddr_in value = socket_address(address, 0);
    std::memcpy(&request.ifr_addr, &value, sizeof(value));
    return ioctl(fd, operation, &request) == 0;
}

std::string set_up_network() {
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return std::string{"cannot make a network namespace: "} + std::strerror(errno);
    }
    const UniqueFd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq up = request_for("lo");
    up.ifr_flags = IFF_UP;
    // The whole network of an address of the loopback device is local, as with 127.0.0.0/8.
    if (ioctl(fd.get(), SIOCSIFFLAGS, &up) != 0 ||
        !set_address(fd.get(), SIOCSIFADDR, "lo:1", "172.16.0.1") ||
        !set_address(fd.get(), SIOCSIFNETMASK, "lo:1", "255.255.0.0")) {
        return std::string{"cannot set up the loopback device: "} + std::strerror(errno);
    }
    return {};
}

} // namespace

std::string enter_own_network() {
    static const std::string problem = set_up_network();
    return problem;
}

sockaddr_in socket_address(const std::string &address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &result.sin_addr), 1);
    return result;
}

UniqueFd bind_socket(int type, const std::string &address, std::uint16_t port) {
    UniqueFd fd{socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (type == SOCK_STREAM) {
        // Connections take over what a listener has. Small, so that they are soon full.
        const int bytes = 16'384;
        setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
        setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    }
    const sockaddr_in where = socket_address(address, port);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr *>(&where), sizeof(where)), 0)
        << address << ": " << std::strerror(errno);
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_in where{};
    socklen_t size = sizeof(where);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&where), &size), 0);
    return ntohs(where.sin_port);
}

bool run_until(EventLoop &loop, const std::function<bool()> &done,
               std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        constexpr std::uint64_t wait_us = 2000;
        EXPECT_GE(sd_event_run(loop.get(), wait_us), 0);
    }
    return true;
}

void UdpClient::send(const Bytes &message, const std::string &server, std::uint16_t port) {
    const sockaddr_in to = socket_address(server, port);
    EXPECT_EQ(sendto(socket_.get(), message.data(), message.size(), 0,
                     reinterpret_cast<const sockaddr *>(&to), sizeof(to)),
              static_cast<ssize_t>(message.size()));
}

std::optional<Bytes> UdpClient::receive(std::chrono::milliseconds limit) {
    if (!run_until(
            loop_, [this] { return readable(socket_.get()); }, limit)) {
        return std::nullopt;
    }
    Bytes buffer(65'535);
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    const ssize_t got = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr *>(&from), &size);
    buffer.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    std::array<char, INET_ADDRSTRLEN> text{};
    sender_ = inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
    return buffer;
}

TcpClient::TcpClient(EventLoop &loop, const std::string &address, const std::string &server,
                     std::uint16_t port)
    : loop_(loop), socket_(bind_socket(SOCK_STREAM, address)) {
    const sockaddr_in to = socket_address(server, port);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<const sockaddr *>(&to), sizeof(to)), 0);
}

void TcpClient::send_raw(const Bytes &bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}

void TcpClient::send(const Bytes &message) {
    Bytes framed{static_cast<std::uint8_t>(message.size() >> 8U),
                 static_cast<std::uint8_t>(message.size() & 0xffU)};
    framed.insert(framed.end(), message.begin(), message.end());
    send_raw(framed);
}

void TcpClient::flood(const Bytes &message) {
    Bytes framed{static_cast<std::uint8_t>(message.size() >> 8U),
                 static_cast<std::uint8_t>(message.size() & 0xffU)};
    framed.insert(framed.end(), message.begin(), message.end());
    Bytes many;
    for (int i = 0; i < 1000; ++i) {
        many.insert(many.end(), framed.begin(), framed.end());
    }
    std::size_t at = 0;
    auto last_progress = std::chrono::steady_clock::now();
    EXPECT_TRUE(run_until(loop_, [&] {
        const ssize_t sent =
            ::send(socket_.get(), many.data() + at, many.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        at = sent < 0 ? at : (at + static_cast<std::size_t>(sent)) % many.size();
        if (sent > 0) {
            last_progress = std::chrono::steady_clock::now();
        }
        constexpr std::chrono::milliseconds long_enough{100};
        return std::chrono::steady_clock::now() - last_progress > long_enough;
    }));
}

bool TcpClient::is_cut_off() {
    return run_until(loop_, [this] {
        pollfd entry{socket_.get(), POLLRDHUP, 0};
        return poll(&entry, 1, 0) == 1;
    });
}

void TcpClient::finish() {
    EXPECT_EQ(shutdown(socket_.get(), SHUT_WR), 0);
}

bool TcpClient::fill(std::size_t size, std::chrono::milliseconds limit) {
    return run_until(
               loop_,
               [&] {
                   while (!closed_ && in_.size() < size && readable(socket_.get())) {
                       Bytes buffer(size - in_.size());
                       const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
                       closed_ = got <= 0;
                       in_.insert(in_.end(), buffer.begin(),
                                  buffer.begin() + std::max<ssize_t>(got, 0));
                   }
                   return closed_ || in_.size() >= size;
               },
               limit) &&
           in_.size() >= size;
}

std::optional<Bytes> TcpClient::receive(std::chrono::milliseconds limit) {
    if (!fill(2, limit)) {
        return std::nullopt;
    }
    const std::size_t size = in_[0] * 256U + in_[1];
    if (!fill(2 + size, limit)) {
        return std::nullopt;
    }
    Bytes message{in_.begin() + 2, in_.begin() + static_cast<std::ptrdiff_t>(2 + size)};
    in_.clear();
    return message;
}

bool TcpClient::is_closed(std::chrono::milliseconds limit) {
    return !fill(in_.size() + 1, limit) && closed_;
}

Upstream::Upstream(EventLoop &loop, const std::string &address, std::uint16_t port,
                   Behaviour behaviour)
    : loop_(loop), behaviour_(std::move(behaviour)), udp_(bind_socket(SOCK_DGRAM, address, port)),
      tcp_(bind_socket(SOCK_STREAM, address, port)) {
    EXPECT_EQ(listen(tcp_.get(), 16), 0);
    udp_source_ = loop_.add_io(udp_.get(), EPOLLIN, [this](std::uint32_t) { serve_udp(); });
    tcp_source_ = loop_.add_io(tcp_.get(), EPOLLIN, [this](std::uint32_t) { serve_tcp(); });
}

void Upstream::serve_udp() {
    Bytes query(4096);
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    const ssize_t got = recvfrom(udp_.get(), query.data(), query.size(), 0,
                                 reinterpret_cast<sockaddr *>(&from), &size);
    ASSERT_GT(got, 0);
    query.resize(static_cast<std::size_t>(got));
    asked_.push_back({query, ntohs(from.sin_port), false});
    if (const Bytes reply = behaviour_(query); !reply.empty()) {
        sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr *>(&from),
               size);
    }
}

void Upstream::serve_tcp() {
    UniqueFd accepted{accept(tcp_.get(), nullptr, nullptr)};
    const int fd = accepted.get();
    connections_.push_back(std::move(accepted));
    // One query a connection, which on loopback comes in one piece.
    connection_sources_.push_back(loop_.add_io(fd, EPOLLIN, [this, fd](std::uint32_t) {
        Bytes framed(4096);
        const ssize_t got = recv(fd, framed.data(), framed.size(), MSG_DONTWAIT);
        if (got <= 2) {
            shutdown(fd, SHUT_RDWR);
            return;
        }
        const Bytes query{framed.begin() + 2, framed.begin() + got};
        asked_.push_back({query, 0, true});
        if (const Bytes reply = behaviour_(query); !reply.empty()) {
            Bytes out{static_cast<std::uint8_t>(reply.size() >> 8U),
                      static_cast<std::uint8_t>(reply.size() & 0xffU)};
            out.insert(out.end(), reply.begin(), reply.end());
            EXPECT_EQ(send(fd, out.data(), out.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(out.size()));
        }
    }));
}

} // namespace banger::test
