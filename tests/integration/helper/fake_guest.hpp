#pragma once

#include "base/ipv4.hpp"
#include "base/unique_fd.hpp"
#include "tests/integration/helper/network_namespace.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace banger::test {

using Bytes = std::vector<std::uint8_t>;

/// Attaches an open /dev/net/tun to the tap as a VMM does it: IFF_TAP | IFF_NO_PI | IFF_VNET_HDR.
/// Throws std::system_error.
void attach_tap(int device, const std::string &tap);

/// A guest as its VMM connects it: a network stack of its own (a namespace) whose frames go through
/// the tap. What a hostile guest sends is sent by send_frame().
class FakeGuest {
public:
    FakeGuest(const std::string &tap, const std::string &mac, const Ipv4 &address,
              const Ipv4 &gateway);
    ~FakeGuest();
    FakeGuest(const FakeGuest &) = delete;
    FakeGuest &operator=(const FakeGuest &) = delete;

    NetworkNamespace &stack() { return stack_; }
    void send_frame(const Bytes &ethernet);
    /// Whether a frame for which `matches` holds has reached this guest, now or within `patience`.
    bool received(const std::function<bool(const Bytes &)> &matches,
                  std::chrono::milliseconds patience);

private:
    void relay();
    void copy(int from, int to, bool record);

    NetworkNamespace stack_;
    UniqueFd host_side_;
    UniqueFd guest_side_;
    UniqueFd stop_;
    std::mutex mutex_;
    std::vector<Bytes> frames_;
    std::thread relay_;
};

/// ICMP echo from the namespace; whether an answer came within `patience`.
bool ping(NetworkNamespace &from, const std::string &address,
          std::chrono::milliseconds patience = std::chrono::milliseconds(1500));

/// What a TCP connection attempt ended with: 0, an errno (ECONNREFUSED …), or ETIMEDOUT after
/// `patience`.
int connect_tcp(const std::string &address, std::uint16_t port,
                std::chrono::milliseconds patience = std::chrono::milliseconds(1500));

/// Listens on every address, TCP and UDP; UDP is echoed by a call of answer().
class EchoServer {
public:
    explicit EchoServer(std::uint16_t port, const std::string &address = "0.0.0.0");
    /// Waits for one UDP packet and sends it back; the sender's address, "" if none came.
    std::string answer(std::chrono::milliseconds patience);

private:
    UniqueFd tcp_;
    UniqueFd udp_;
};

/// Sends one UDP packet from here, has `server` answer it; whether the answer came back.
bool ask_udp(const std::function<int()> &make_socket, EchoServer &server,
             const std::string &address, std::uint16_t port);

} // namespace banger::test
