#include "fake_supervisor.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace banger::vm {

FakeSupervisor::FakeSupervisor(EventLoop &loop, const std::filesystem::path &socket)
    : loop_(loop), path_(socket), listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    std::filesystem::create_directories(socket.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 1) != 0) {
        throw_errno(fmt::format("listen on {}", socket.string()));
    }
    listening_ = loop_.add_io(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

FakeSupervisor::~FakeSupervisor() {
    std::filesystem::remove(path_);
}

void FakeSupervisor::accept_one() {
    connection_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    send(R"({"hello":{"version":1,"name":"x"}})");
    reading_ = loop_.add_io(connection_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
}

void FakeSupervisor::receive() {
    std::string packet(65536, '\0');
    const ssize_t n = ::recv(connection_.get(), packet.data(), packet.size(), 0);
    if (n <= 0) {
        reading_.reset();
        connection_.reset();
        return;
    }
    packet.resize(static_cast<std::size_t>(n));
    const auto json = nlohmann::json::parse(packet);
    const auto id = json.at("id").get<std::uint64_t>();
    requests.push_back(packet);
    if (json.at("op") == "subscribe") {
        send(fmt::format(R"({{"id":{},"ok":true}})", id));
        send(state_);
    } else if (on_request) {
        on_request(packet, id);
    }
}

void FakeSupervisor::tell(const std::string &stage, bool login_ready) {
    state_ = nlohmann::json{{"event", "state"},
                            {"stage", stage},
                            {"login_ready", login_ready},
                            {"boot_finished", false},
                            {"status", "Starting ssh"},
                            {"timings",
                             nlohmann::json::array({nlohmann::json::array({"vmm-started", 1000})})}}
                 .dump();
    if (connection_) {
        send(state_);
    }
}

void FakeSupervisor::send(const std::string &packet, int fd) {
    iovec vector{const_cast<char *>(packet.data()), packet.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ::sendmsg(connection_.get(), &message, MSG_NOSIGNAL);
}

void FakeSupervisor::hang_up() {
    reading_.reset();
    connection_.reset();
}

} // namespace banger::vm
