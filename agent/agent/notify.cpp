#include "agent/agent/notify.hpp"

#include "base/error.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace banger::agent {
namespace {

struct Address {
    sockaddr_un data{};
    socklen_t size = 0;
};

Address address_of(std::string_view name) {
    Address address;
    address.data.sun_family = AF_UNIX;
    name.copy(address.data.sun_path, sizeof(address.data.sun_path));
    address.data.sun_path[0] = '\0'; // Abstract.
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return address;
}

UniqueFd make_socket() {
    UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        throw_errno("open the notification socket");
    }
    return socket;
}

} // namespace

UniqueFd bind_notify_socket() {
    UniqueFd socket = make_socket();
    const int on = 1;
    const Address address = address_of(notify_socket_name);
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr *>(&address.data), address.size) !=
            0) {
        throw_errno("bind the notification socket");
    }
    return socket;
}

NotifyListener::NotifyListener(Loop &loop, UniqueFd socket,
                               std::function<void(const Message &)> on_message)
    : socket_(std::move(socket)), on_message_(std::move(on_message)),
      watch_(loop.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { read_one(); })) {}

void NotifyListener::read_one() {
    std::array<char, 4096> text{};
    std::array<char, 256> control{};
    Address sender;
    iovec part{text.data(), text.size()};
    msghdr header{};
    header.msg_name = &sender.data;
    header.msg_namelen = sizeof(sender.data);
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (n < 0) {
        return;
    }
    sender.size = header.msg_namelen;
    bool from_root = false;
    for (cmsghdr *item = CMSG_FIRSTHDR(&header); item != nullptr;
         item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_CREDENTIALS) {
            ucred credentials{};
            std::memcpy(&credentials, CMSG_DATA(item), sizeof(credentials));
            from_root = credentials.uid == 0;
        } else if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
            // systemd's barrier, or a stranger's: closing them is the answer.
            const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof(fd));
                const UniqueFd closed{fd};
            }
        }
    }
    if (!from_root) {
        return;
    }
    std::string_view rest{text.data(), static_cast<std::size_t>(n)};
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        on_message_({std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)),
                     [this, sender] {
                         ::sendto(socket_.get(), "OK", 2, MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr *>(&sender.data), sender.size);
                     }});
    }
}

bool notify_and_wait(std::string_view text, std::chrono::milliseconds timeout) noexcept {
    try {
        const UniqueFd socket = make_socket();
        // An address that the kernel chooses, for the answer.
        sockaddr_un own{};
        own.sun_family = AF_UNIX;
        if (::bind(socket.get(), reinterpret_cast<const sockaddr *>(&own), sizeof(sa_family_t)) !=
            0) {
            return false;
        }
        const Address agent = address_of(notify_socket_name);
        if (::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr *>(&agent.data), agent.size) < 0) {
            return false;
        }
        pollfd waiting{socket.get(), POLLIN, 0};
        return ::poll(&waiting, 1, static_cast<int>(timeout.count())) > 0;
    } catch (...) {
        return false;
    }
}

} // namespace banger::agent
