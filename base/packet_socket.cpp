#include "base/packet_socket.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace banger {
namespace {

union DescriptorSpace {
    cmsghdr align;
    std::array<char, CMSG_SPACE(sizeof(int) * PacketSocket::max_descriptors)> bytes;
};

std::vector<UniqueFd> take_descriptors(msghdr &message) {
    std::vector<UniqueFd> descriptors;
    for (cmsghdr *part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
    return descriptors;
}

} // namespace

PacketSocket::PacketSocket(EventLoop &loop, UniqueFd fd, Callbacks callbacks)
    : loop_(loop), fd_(std::move(fd)), callbacks_(std::move(callbacks)),
      io_(loop.add_io(fd_.get(), EPOLLIN, [this](std::uint32_t revents) { on_io(revents); })) {}

void PacketSocket::close() noexcept {
    io_.reset();
    closing_.reset();
    queue_.clear();
    fd_.reset();
}

void PacketSocket::send(std::string text, std::vector<UniqueFd> descriptors) {
    if (text.size() > max_packet || descriptors.size() > max_descriptors) {
        fail(ErrorCode::LimitsExceeded,
             "a packet of {} bytes and {} descriptors is more than the {} and {} of a connection",
             text.size(), descriptors.size(), max_packet, max_descriptors);
    }
    if (!fd_ || closing_) {
        return;
    }
    if (queue_.size() >= max_queue) {
        log::warning(
            "the other end of a control connection does not read its packets: cutting it off");
        // Its owner may be in the middle of a call on this object.
        closing_ = loop_.add_deferred([this] { finish(); });
        return;
    }
    queue_.push_back({std::move(text), std::move(descriptors)});
    flush();
}

PacketSocket::Sent PacketSocket::transmit(const Packet &packet) {
    iovec vector{const_cast<char *>(packet.text.data()), packet.text.size()};
    DescriptorSpace space{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (!packet.descriptors.empty()) {
        message.msg_control = space.bytes.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int) * packet.descriptors.size());
        cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * packet.descriptors.size());
        for (std::size_t i = 0; i < packet.descriptors.size(); ++i) {
            const int fd = packet.descriptors[i].get();
            std::memcpy(CMSG_DATA(part) + i * sizeof(int), &fd, sizeof fd);
        }
    }
    ssize_t n = -1;
    do {
        n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        return Sent::Yes;
    }
    return errno == EAGAIN || errno == ENOBUFS ? Sent::NoRoom : Sent::Broken;
}

void PacketSocket::flush() {
    while (!queue_.empty()) {
        const Sent sent = transmit(queue_.front());
        if (sent == Sent::NoRoom) {
            io_.set_events(EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent == Sent::Broken) {
            queue_.clear();
            break;
        }
        queue_.pop_front();
    }
    io_.set_events(EPOLLIN);
}

bool PacketSocket::receive_one() {
    Packet packet;
    packet.text.resize(max_packet);
    iovec vector{packet.text.data(), packet.text.size()};
    DescriptorSpace space{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = space.bytes.data();
    message.msg_controllen = space.bytes.size();
    const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    packet.descriptors = take_descriptors(message);
    if (n <= 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return false;
    }
    packet.text.resize(static_cast<std::size_t>(n));
    packet.text.shrink_to_fit();
    callbacks_.on_packet(std::move(packet));
    return true;
}

void PacketSocket::on_io(std::uint32_t revents) {
    if ((revents & EPOLLOUT) != 0) {
        flush();
    }
    // One packet a turn: its handler may destroy this object. What a peer sent before it hung up
    // is still read.
    if ((revents & EPOLLIN) != 0) {
        if (!receive_one()) {
            finish();
        }
        return;
    }
    if ((revents & (EPOLLHUP | EPOLLERR)) != 0) {
        finish();
    }
}

void PacketSocket::finish() {
    const auto closed = std::move(callbacks_.on_closed);
    close();
    if (closed) {
        closed();
    }
}

} // namespace banger
