#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::vm {

/// A connected SOCK_SEQPACKET socket (unix(7)): packets of at most 64 KiB, with descriptors.
class PacketSocket {
public:
    static constexpr std::size_t max_packet = 64U << 10U;
    static constexpr std::size_t max_descriptors = 4;

    struct Events {
        std::function<void(std::string_view packet, std::vector<UniqueFd> fds)> packet;
        /// Once; the socket may be destroyed in it.
        std::function<void()> closed;
    };

    /// Connects. Throws Error that names the path.
    PacketSocket(EventLoop &loop, const std::filesystem::path &path, Events events);

    /// Sends now or as soon as there is room. Throws Error{LimitsExceeded} for a packet that is
    /// too long, or when the peer has not read for long.
    void send(std::string packet, std::vector<UniqueFd> fds);

private:
    struct Outgoing {
        std::string packet;
        std::vector<UniqueFd> fds;
    };
    void on_io(std::uint32_t revents);
    bool receive_one();
    bool flush();
    void close();

    UniqueFd socket_;
    Events events_;
    std::deque<Outgoing> queue_;
    EventSource source_;
    // Shared with a frame of on_io() that is running: tells that `this` has gone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

public:
    ~PacketSocket() { *alive_ = false; }
    PacketSocket(const PacketSocket &) = delete;
    PacketSocket &operator=(const PacketSocket &) = delete;
};

} // namespace banger::vm
