#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace banger {

/// What one SOCK_SEQPACKET message carries.
struct Packet {
    std::string text;
    std::vector<UniqueFd> descriptors;
};

/// One end of a SOCK_SEQPACKET connection: packets of at most 64 KiB with descriptors. A peer that
/// sends a longer one, or does not read what it is sent, is cut off.
class PacketSocket {
public:
    static constexpr std::size_t max_packet = 64U << 10U;
    static constexpr std::size_t max_descriptors = 8;
    static constexpr std::size_t max_queue = 256;

    struct Callbacks {
        std::function<void(Packet packet)> on_packet;
        /// The connection is over; the last callback. The socket may be destroyed in it.
        std::function<void()> on_closed;
    };
    PacketSocket(EventLoop &loop, UniqueFd fd, Callbacks callbacks);

    /// Sends now or when the peer has room. Does nothing after the end. Throws
    /// Error{LimitsExceeded} for a packet that is too long or has too many descriptors.
    void send(std::string text, std::vector<UniqueFd> descriptors = {});
    /// No more packets are taken or sent; queued ones are dropped. No callback.
    void close() noexcept;

private:
    enum class Sent { Yes, NoRoom, Broken };
    Sent transmit(const Packet &packet);
    void on_io(std::uint32_t revents);
    void flush();
    bool receive_one();
    void finish();

    EventLoop &loop_;
    UniqueFd fd_;
    Callbacks callbacks_;
    std::deque<Packet> queue_;
    EventSource io_;
    EventSource closing_;
};

} // namespace banger
