#include "daemon/dns_service.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace banger {
namespace {

constexpr const char *bridge_socket_name = "dns-bridge";

struct FreeNames {
    void operator()(char **names) const {
        for (char **name = names; name != nullptr && *name != nullptr; ++name) {
            std::free(*name);
        }
        std::free(names);
    }
};

std::optional<sockaddr_in> local_address(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length) != 0 ||
        address.sin_family != AF_INET) {
        return std::nullopt;
    }
    return address;
}

UniqueFd bound_socket(int type, std::uint16_t port) {
    UniqueFd fd{::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr int on = 1;
    if (!fd || (type == SOCK_STREAM &&
                ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)) {
        throw_errno("make a socket");
    }
    if (::bind(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        (type == SOCK_STREAM && ::listen(fd.get(), SOMAXCONN) != 0)) {
        throw_errno(fmt::format("bind 127.0.0.1:{}", port));
    }
    return fd;
}

void keep(const UniqueFd &udp, const UniqueFd &tcp) {
    const std::array<int, 2> fds{udp.get(), tcp.get()};
    const std::string message = fmt::format("FDSTORE=1\nFDPOLL=0\nFDNAME={}", bridge_socket_name);
    if (const int error = sd_pid_notify_with_fds(0, 0, message.c_str(), fds.data(),
                                                 static_cast<unsigned>(fds.size()));
        error < 0) {
        log::warning("could not keep the DNS sockets over a restart, ignoring");
    }
}

} // namespace

std::vector<NamedSocket> take_listen_fds() {
    char **names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    const std::unique_ptr<char *, FreeNames> owned(names);
    std::vector<NamedSocket> sockets;
    for (int i = 0; i < count; ++i) {
        UniqueFd fd{SD_LISTEN_FDS_START + i};
        ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
        sockets.push_back({names[i], std::move(fd)});
    }
    return sockets;
}

DnsService::DnsService(EventLoop &loop, const resolved::Zone &zone, net::NetworkHelper &helper)
    : helper_(helper), server_(loop, zone) {}

void DnsService::serve(std::vector<NamedSocket> sockets, std::uint16_t port) {
    for (auto &socket : sockets) {
        const auto address = local_address(socket.fd.get());
        if (!address) {
            continue;
        }
        try {
            const auto id = server_.add_socket(std::move(socket.fd));
            if (socket.name == bridge_socket_name) {
                bridge_address_ = Ipv4::from(address->sin_addr);
                bridge_sockets_.push_back(id);
            } else {
                loopback_port_ = ntohs(address->sin_port);
            }
        } catch (const Error &e) {
            log::warning(fmt::format("a socket that was handed over is of no use: {}", e.what()));
        }
    }
    if (loopback_port_ == 0) {
        bind_loopback(port);
    }
}

void DnsService::bind_loopback(std::uint16_t port) {
    constexpr std::uint16_t attempts = 16;
    for (std::uint16_t i = 0; i < attempts; ++i) {
        const auto candidate = static_cast<std::uint16_t>(port + i);
        try {
            UniqueFd udp = bound_socket(SOCK_DGRAM, candidate);
            UniqueFd tcp = bound_socket(SOCK_STREAM, candidate);
            server_.add_socket(std::move(udp));
            server_.add_socket(std::move(tcp));
            loopback_port_ = candidate;
            return;
        } catch (const Error &e) {
            log::info(e.what());
        }
    }
    log::warning(fmt::format("no free port from {} on for DNS on loopback", port));
}

void DnsService::serve_bridge(const net::Network &network) {
    if (asking_ || bridge_address_ == network.gateway) {
        return;
    }
    asking_ = true;
    helper_.open_dns_sockets(
        false, [this, gateway = network.gateway](Outcome<net::DnsSockets> outcome) {
            asking_ = false;
            if (!outcome) {
                log::warning(fmt::format("guests have no resolver: {}", outcome.error().what()));
                return;
            }
            for (const auto id : bridge_sockets_) {
                server_.remove_socket(id);
            }
            sd_notify(0, fmt::format("FDSTOREREMOVE=1\nFDNAME={}", bridge_socket_name).c_str());
            auto &sockets = outcome.value();
            keep(sockets.udp, sockets.tcp);
            bridge_sockets_ = {server_.add_socket(std::move(sockets.udp)),
                               server_.add_socket(std::move(sockets.tcp))};
            bridge_address_ = gateway;
        });
}

} // namespace banger
