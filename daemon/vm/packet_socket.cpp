#include "daemon/vm/packet_socket.hpp"

#include "base/error.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace banger::vm {
namespace {

constexpr std::size_t max_queue = 256;

UniqueFd connect_to(const std::filesystem::path &path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string &text = path.native();
    if (text.size() >= sizeof address.sun_path) {
        fail(ErrorCode::Internal, "the socket path {} is longer than unix(7) allows", text);
    }
    std::memcpy(address.sun_path, text.data(), text.size());
    UniqueFd fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd ||
        ::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
        throw_errno(fmt::format("connect to {}", text));
    }
    return fd;
}

using ControlBuffer =
    std::array<std::byte, CMSG_SPACE(sizeof(int) * PacketSocket::max_descriptors)>;

std::vector<UniqueFd> descriptors_of(msghdr &message) {
    std::vector<UniqueFd> fds;
    for (cmsghdr *header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

} // namespace

PacketSocket::PacketSocket(EventLoop &loop, const std::filesystem::path &path, Events events)
    : socket_(connect_to(path)), events_(std::move(events)),
      source_(
          loop.add_io(socket_.get(), EPOLLIN, [this](std::uint32_t revents) { on_io(revents); })) {}

void PacketSocket::send(std::string packet, std::vector<UniqueFd> fds) {
    if (packet.size() > max_packet || fds.size() > max_descriptors) {
        fail(ErrorCode::LimitsExceeded, "the request is longer than {} bytes", max_packet);
    }
    if (queue_.size() >= max_queue) {
        fail(ErrorCode::LimitsExceeded, "the supervisor does not read its requests");
    }
    queue_.push_back({std::move(packet), std::move(fds)});
    flush();
}

bool PacketSocket::flush() {
    while (!queue_.empty()) {
        Outgoing &next = queue_.front();
        iovec vector{next.packet.data(), next.packet.size()};
        alignas(cmsghdr) ControlBuffer control{};
        msghdr message{};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        if (!next.fds.empty()) {
            message.msg_control = control.data();
            message.msg_controllen = CMSG_SPACE(sizeof(int) * next.fds.size());
            cmsghdr *header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(sizeof(int) * next.fds.size());
            for (std::size_t i = 0; i < next.fds.size(); ++i) {
                const int fd = next.fds[i].get();
                std::memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof fd);
            }
        }
        if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            if (errno == EINTR) {
                continue;
            }
            source_.set_events(EPOLLIN | EPOLLOUT);
            // Anything but a full buffer shows as a hang-up in on_io() as well.
            return errno == EAGAIN;
        }
        queue_.pop_front();
    }
    source_.set_events(EPOLLIN);
    return true;
}

bool PacketSocket::receive_one() {
    std::string packet(max_packet, '\0');
    iovec vector{packet.data(), packet.size()};
    alignas(cmsghdr) ControlBuffer control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    auto fds = descriptors_of(message);
    if (n == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return false;
    }
    packet.resize(static_cast<std::size_t>(n));
    events_.packet(packet, std::move(fds));
    return true;
}

void PacketSocket::on_io(std::uint32_t revents) {
    const auto alive = alive_;
    if ((revents & EPOLLOUT) != 0 && !flush()) {
        close();
        return;
    }
    if ((revents & EPOLLIN) != 0) {
        const bool open = receive_one();
        if (!*alive) {
            return;
        }
        if (!open) {
            close();
        }
        return;
    }
    if ((revents & (EPOLLHUP | EPOLLERR)) != 0) {
        close();
    }
}

void PacketSocket::close() {
    source_.enable(false);
    if (const auto closed = std::exchange(events_.closed, {})) {
        closed();
    }
}

} // namespace banger::vm
