#include "tests/integration/supervisor/control_client.hpp"

#include "base/error.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace banger::supervisor {
namespace {

constexpr std::size_t max_descriptors = 8;

} // namespace

ControlClient::ControlClient(const std::filesystem::path &path)
    : fd_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        throw_errno(fmt::format("connect to {}", path.string()));
    }
}

void ControlClient::send(const nlohmann::json &packet, const std::vector<int> &descriptors) const {
    const std::string text = packet.dump();
    iovec vector{const_cast<char *>(text.data()), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_descriptors)> space{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = space.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(part), descriptors.data(), sizeof(int) * descriptors.size());
    }
    if (::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) {
        throw_errno("send to the supervisor");
    }
}

nlohmann::json ControlClient::receive() {
    const timeval deadline{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    std::string text(1U << 16U, '\0');
    iovec vector{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_descriptors)> space{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno != ECONNRESET) {
        throw_errno("receive from the supervisor");
    }
    if (n <= 0) {
        return nullptr;
    }
    for (cmsghdr *part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        for (std::size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            descriptors_.emplace_back(fd);
        }
    }
    return nlohmann::json::parse(text.substr(0, static_cast<std::size_t>(n)));
}

nlohmann::json ControlClient::receive_with(const char *key) {
    for (;;) {
        nlohmann::json packet = receive();
        if (packet.is_null() || packet.contains(key)) {
            return packet;
        }
    }
}

} // namespace banger::supervisor
