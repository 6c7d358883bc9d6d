#include "resolved/server.hpp"

#include "base/error.hpp"
#include "resolved/answer.hpp"
#include "resolved/forwarder.hpp"
#include "resolved/listener.hpp"

#include <sys/socket.h>

#include <map>
#include <utility>

namespace banger::resolved {

namespace {

int socket_option(int fd, int option, std::string_view name) {
    int value = 0;
    socklen_t size = sizeof(value);
    if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
        fail(ErrorCode::InvalidArgument, "cannot serve DNS on descriptor {}: it has no {}", fd,
             name);
    }
    return value;
}

} // namespace

class Server::Impl {
public:
    Impl(EventLoop &loop, const Zone &zone, ServerOptions options)
        : loop_(loop), zone_(zone), options_(std::move(options)), forwarder_(loop, options_),
          connections_(options_.max_tcp_connections, options_.max_tcp_connections_per_client) {}

    SocketId add(UniqueFd socket) {
        const int fd = socket.get();
        if (socket_option(fd, SO_DOMAIN, "SO_DOMAIN") != AF_INET) {
            fail(ErrorCode::InvalidArgument,
                 "cannot serve DNS on descriptor {}: it is not an IPv4 socket", fd);
        }
        const int type = socket_option(fd, SO_TYPE, "SO_TYPE");
        const bool listens = socket_option(fd, SO_ACCEPTCONN, "SO_ACCEPTCONN") != 0;
        if (type != SOCK_DGRAM && !(type == SOCK_STREAM && listens)) {
            fail(ErrorCode::InvalidArgument,
                 "cannot serve DNS on descriptor {}: it is neither a UDP nor a listening TCP "
                 "socket",
                 fd);
        }
        set_nonblocking(fd);
        auto handler = [this](std::span<const std::uint8_t> query, Ipv4 client, Transport transport,
                              SendReply reply) {
            handle(query, client, transport, std::move(reply));
        };
        auto listener = type == SOCK_DGRAM
                            ? listen_udp(loop_, std::move(socket), std::move(handler))
                            : listen_tcp(loop_, std::move(socket), connections_, options_.tcp_idle,
                                         std::move(handler));
        const SocketId id = next_id_++;
        listeners_.emplace(id, std::move(listener));
        return id;
    }

    void remove(SocketId id) noexcept { listeners_.erase(id); }

private:
    void handle(std::span<const std::uint8_t> query, Ipv4 client, Transport transport,
                SendReply reply) {
        Answer answered = answer(query, zone_, zone_.client(client));
        switch (answered.action) {
        case Answer::Action::Drop:
            reply({});
            break;
        case Answer::Action::Reply:
            reply(transport == Transport::Udp ? fit_udp(std::move(answered.message), query)
                                              : std::move(answered.message));
            break;
        case Answer::Action::Forward:
            forward(std::move(answered.message), client, transport, std::move(reply));
            break;
        }
    }

    void forward(Bytes query, Ipv4 client, Transport transport, SendReply reply) {
        if (transport == Transport::Udp) {
            reply = [query, reply = std::move(reply)](Bytes message) {
                reply(fit_udp(std::move(message), query));
            };
        }
        forwarder_.forward(std::move(query), client, transport, std::move(reply));
    }

    EventLoop &loop_;
    const Zone &zone_;
    ServerOptions options_;
    Forwarder forwarder_;
    Quota connections_;
    std::map<SocketId, std::unique_ptr<Listener>> listeners_;
    SocketId next_id_ = 1;
};

Server::Server(EventLoop &loop, const Zone &zone, ServerOptions options)
    : impl_(std::make_unique<Impl>(loop, zone, std::move(options))) {}

Server::~Server() = default;

Server::SocketId Server::add_socket(UniqueFd socket) {
    return impl_->add(std::move(socket));
}

void Server::remove_socket(SocketId id) noexcept {
    impl_->remove(id);
}

} // namespace banger::resolved
