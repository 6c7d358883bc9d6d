#include "agent/agent/transport.hpp"

#include "agent/agent/log.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace banger::agent {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view port_name = "org.banger.channel";
constexpr unsigned vsock_port = 1024;
constexpr auto first_delay = 20ms;
constexpr auto longest_delay = 1000ms;

/// /dev/vportNpM of our port; empty if there is none (yet).
fs::path find_port() {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator("/sys/class/virtio-ports", ignored)) {
        try {
            const std::string name = read_file(entry.path() / "name");
            if (name.substr(0, name.find('\n')) == port_name) {
                return fs::path("/dev") / entry.path().filename();
            }
        } catch (const Error &) {
            // A port without a name.
        }
    }
    return {};
}

/// The kernel's own messages about devices (not udev's).
UniqueFd listen_to_devices() {
    UniqueFd socket{
        ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;
    if (!socket ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        throw_errno("listen to device events");
    }
    return socket;
}

} // namespace

Transport::Transport(Loop &loop, channel::ChannelServer &server)
    : loop_(loop), server_(server), device_events_(listen_to_devices()), delay_(first_delay) {
    device_watch_ = loop_.watch(device_events_.get(), EPOLLIN, [this](std::uint32_t) {
        std::array<char, 8192> message{};
        while (::recv(device_events_.get(), message.data(), message.size(), 0) > 0) {
        }
        if (!fd_) {
            open();
        }
    });
    open();
}

void Transport::open() {
    retry_.reset();
    broken_ = false;
    if (const fs::path port = find_port(); !port.empty()) {
        UniqueFd fd{::open(port.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
        if (fd) {
            is_port_ = true;
            adopt(std::move(fd), false);
            return;
        }
    } else {
        UniqueFd fd{::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        sockaddr_vm address{};
        address.svm_family = AF_VSOCK;
        address.svm_cid = VMADDR_CID_HOST;
        address.svm_port = vsock_port;
        if (fd && (::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address),
                             sizeof(address)) == 0 ||
                   errno == EINPROGRESS)) {
            is_port_ = false;
            adopt(std::move(fd), true);
            return;
        }
    }
    retry_later();
}

void Transport::retry_later() {
    retry_ = loop_.timer(delay_, [this] { open(); });
    delay_ = std::min<std::chrono::milliseconds>(delay_ * 2, longest_delay);
}

void Transport::adopt(UniqueFd fd, bool connecting) {
    server_.restart();
    fd_ = std::move(fd);
    connecting_ = connecting;
    // Edge-triggered: a port whose other side is closed hangs up all the time.
    watch_ = loop_.watch(fd_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                         [this](std::uint32_t events) { on_events(events); });
}

void Transport::on_events(std::uint32_t events) {
    if (connecting_) {
        int error = 0;
        socklen_t size = sizeof(error);
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0) {
            watch_.reset();
            fd_.reset();
            retry_later();
            return;
        }
        connecting_ = false;
    }
    if ((events & EPOLLHUP) != 0 && is_port_) {
        // The host's side is closed. Only what held a session is worth another open(2); a fresh
        // port waits for the event of the other side.
        if (server_.connected()) {
            reopen();
        }
        return;
    }
    delay_ = first_delay;
    read_all();
    if (broken_) {
        reopen();
    } else {
        flush();
    }
}

void Transport::read_all() {
    std::array<std::byte, 65536> buffer{};
    while (!broken_) {
        const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
        if (n > 0) {
            server_.receive(std::span{buffer.data(), static_cast<std::size_t>(n)});
            flush();
        } else if ((n < 0 && errno == EAGAIN) || (n == 0 && is_port_)) {
            // A port reads as ended while nobody is at its other side; that comes as an event.
            return;
        } else if (n == 0 || errno != EINTR) {
            broken_ = true;
        }
    }
}

void Transport::flush() {
    if (!fd_ || connecting_ || broken_) {
        return;
    }
    for (;;) {
        const channel::Bytes out = server_.output();
        if (out.empty()) {
            return;
        }
        const ssize_t n = ::write(fd_.get(), out.data(), out.size());
        if (n >= 0) {
            server_.sent(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            return; // The edge that tells of room comes.
        } else if (errno != EINTR) {
            broken_ = !is_port_;
            return;
        }
    }
}

void Transport::reopen() {
    log("the channel's other side was closed");
    watch_.reset();
    fd_.reset();
    server_.restart();
    if (is_port_) {
        open();
    } else {
        retry_later();
    }
}

} // namespace banger::agent
