#include "base/error.hpp"
#include "resolved/answer.hpp"
#include "resolved/listener.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

namespace banger::resolved {

namespace {

// So that a flood of datagrams does not keep the loop from its other work.
constexpr int max_datagrams_at_once = 64;

struct alignas(cmsghdr) ControlBuffer {
    std::array<std::byte, CMSG_SPACE(sizeof(in_pktinfo))> bytes{};
};

// The address of ours that the datagram was sent to.
std::optional<in_addr> asked_address(msghdr &message) {
    for (cmsghdr *part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof(info));
            return info.ipi_spec_dst;
        }
    }
    return std::nullopt;
}

/// Outlived by the replies that wait for it; they only hold it weakly.
class UdpSocket : public std::enable_shared_from_this<UdpSocket> {
public:
    UdpSocket(UniqueFd socket, QueryHandler handler)
        : socket_(std::move(socket)), handler_(std::move(handler)) {
        const int on = 1;
        if (setsockopt(socket_.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0) {
            throw_errno("set IP_PKTINFO on a DNS socket");
        }
    }

    void watch(EventLoop &loop) {
        source_ = loop.add_io(socket_.get(), EPOLLIN, [this](std::uint32_t) {
            for (int i = 0; i < max_datagrams_at_once && receive(); ++i) {
            }
        });
    }

private:
    bool receive() {
        std::array<std::uint8_t, max_query_bytes> buffer; // NOLINT: recvmsg fills it
        ControlBuffer control;
        sockaddr_in source{};
        iovec part{buffer.data(), buffer.size()};
        msghdr message{};
        message.msg_name = &source;
        message.msg_namelen = sizeof(source);
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes.data();
        message.msg_controllen = control.bytes.size();
        const ssize_t size = recvmsg(socket_.get(), &message, 0);
        if (size < 0) {
            return errno != EAGAIN; // else an ICMP error for an earlier reply, which it took away
        }
        if ((message.msg_flags & MSG_TRUNC) != 0 || source.sin_family != AF_INET) {
            return true;
        }
        handler_(std::span{buffer}.first(static_cast<std::size_t>(size)),
                 Ipv4::from(source.sin_addr), Transport::Udp,
                 [self = weak_from_this(), source, from = asked_address(message)](Bytes reply) {
                     if (const auto socket = self.lock(); socket && !reply.empty()) {
                         socket->send(std::move(reply), source, from);
                     }
                 });
        return true;
    }

    // A reply that cannot be sent is a lost datagram: the client asks again.
    void send(Bytes reply, sockaddr_in to, std::optional<in_addr> from) {
        iovec part{reply.data(), reply.size()};
        msghdr message{};
        message.msg_name = &to;
        message.msg_namelen = sizeof(to);
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        ControlBuffer control;
        if (from) {
            message.msg_control = control.bytes.data();
            message.msg_controllen = control.bytes.size();
            cmsghdr *header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = IPPROTO_IP;
            header->cmsg_type = IP_PKTINFO;
            header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
            in_pktinfo info{};
            info.ipi_spec_dst = *from;
            std::memcpy(CMSG_DATA(header), &info, sizeof(info));
        }
        std::ignore = sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    UniqueFd socket_;
    QueryHandler handler_;
    EventSource source_;
};

class UdpListener final : public Listener {
public:
    UdpListener(EventLoop &loop, UniqueFd socket, QueryHandler handler)
        : socket_(std::make_shared<UdpSocket>(std::move(socket), std::move(handler))) {
        socket_->watch(loop);
    }

private:
    std::shared_ptr<UdpSocket> socket_;
};

} // namespace

std::unique_ptr<Listener> listen_udp(EventLoop &loop, UniqueFd socket, QueryHandler handler) {
    return std::make_unique<UdpListener>(loop, std::move(socket), std::move(handler));
}

} // namespace banger::resolved
