#include "agent/agent/forward.hpp"

#include "agent/agent/pump.hpp"
#include "agent/channel/server.hpp"
#include "base/error.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <memory>

namespace banger::agent {
namespace {

using channel::Stream;

std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        fail(ErrorCode::InvalidArgument, "'{}' is no TCP port", text);
    }
    return port;
}

UniqueFd make_socket(int family) {
    UniqueFd socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        throw_errno("open a socket in the guest");
    }
    return socket;
}

/// A connection that is being made, first over IPv4, then over IPv6.
struct Attempt : std::enable_shared_from_this<Attempt> {
    Attempt(Loop &the_loop, Stream the_stream, std::string the_target)
        : loop(the_loop), stream(std::move(the_stream)), target(std::move(the_target)) {}

    void connect_tcp(std::uint16_t port, bool v6) {
        socket = make_socket(v6 ? AF_INET6 : AF_INET);
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (!v6) {
            retry = [port](Attempt &self) { self.connect_tcp(port, true); };
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            connect(reinterpret_cast<const sockaddr *>(&address), sizeof(address));
        } else {
            sockaddr_in6 address{};
            address.sin6_family = AF_INET6;
            address.sin6_port = htons(port);
            address.sin6_addr = in6addr_loopback;
            connect(reinterpret_cast<const sockaddr *>(&address), sizeof(address));
        }
    }

    void connect_unix(const std::string &path) {
        sockaddr_un address{};
        if (path.size() >= sizeof(address.sun_path)) {
            fail(ErrorCode::InvalidArgument, "the socket's path {} is too long", path);
        }
        socket = make_socket(AF_UNIX);
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, path.size());
        connect(reinterpret_cast<const sockaddr *>(&address), sizeof(address));
    }

    void connect(const sockaddr *address, socklen_t size) {
        if (::connect(socket.get(), address, size) == 0) {
            connected();
        } else if (errno == EINPROGRESS || errno == EAGAIN) {
            watch = loop.watch(socket.get(), EPOLLOUT,
                               [self = shared_from_this()](std::uint32_t) { self->check(); });
        } else {
            failed(errno);
        }
    }

    void check() {
        const auto self = shared_from_this();
        watch.reset();
        int error = 0;
        socklen_t size = sizeof(error);
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0) {
            connected();
        } else {
            failed(error);
        }
    }

    void failed(int error) {
        if (const auto next = std::exchange(retry, nullptr)) {
            next(*this);
            return;
        }
        const bool nobody = error == ECONNREFUSED || error == ENOENT;
        channel::respond_error(stream,
                               Error(nobody ? ErrorCode::NotFound : ErrorCode::Internal,
                                     fmt::format("nothing in the guest answers at {}: {}", target,
                                                 std::generic_category().message(error))));
    }

    void connected() {
        stream.respond(200);
        channel::StreamCallbacks callbacks;
        const auto inlet =
            std::make_shared<Inlet>(loop, stream, socket.duplicate(), Inlet::OnEnd::Shutdown);
        inlet->join(callbacks);
        Outlet::attach(loop, stream, std::move(socket), std::move(callbacks));
    }

    Loop &loop;
    Stream stream;
    std::string target;
    UniqueFd socket;
    Loop::Watch watch;
    std::function<void(Attempt &)> retry;
};

} // namespace

void forward(Loop &loop, const Stream &stream, std::string_view target) {
    const auto attempt = std::make_shared<Attempt>(loop, stream, std::string(target));
    if (target.starts_with("tcp:")) {
        attempt->connect_tcp(parse_port(target.substr(4)), false);
    } else if (target.starts_with("unix:/")) {
        attempt->connect_unix(std::string(target.substr(5)));
    } else {
        fail(ErrorCode::InvalidArgument, "the target '{}' is neither tcp:PORT nor unix:/PATH",
             target);
    }
}

} // namespace banger::agent
