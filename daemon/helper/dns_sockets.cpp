#include "daemon/helper/dns_sockets.hpp"

#include "base/error.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace banger::helper {
namespace {

constexpr int backlog = 64;

UniqueFd bound_socket(int type, const Ipv4 &address, std::uint16_t port) {
    const auto check = [&](int result) {
        if (result < 0) {
            const int error = errno;
            fail(error == EADDRINUSE ? ErrorCode::Busy : ErrorCode::NetworkUnavailable,
                 "could not listen on {} port {} ({}): {}", address.str(), port,
                 type == SOCK_DGRAM ? "UDP" : "TCP",
                 std::strerror(error)); // NOLINT(concurrency-mt-unsafe): one thread
        }
    };
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(fd);
    UniqueFd result(fd);
    const int on = 1;
    check(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on));
    if (type == SOCK_STREAM) {
        // Else connections in TIME_WAIT keep a restarted daemon from its port.
        check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    }
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr = address.to_in_addr();
    check(bind(fd, reinterpret_cast<const sockaddr *>(&name), sizeof name));
    if (type == SOCK_STREAM) {
        check(listen(fd, backlog));
    }
    return result;
}

} // namespace

DnsSockets open_dns_sockets(const Ipv4 &address, std::uint16_t port) {
    return {bound_socket(SOCK_DGRAM, address, port), bound_socket(SOCK_STREAM, address, port)};
}

} // namespace banger::helper
