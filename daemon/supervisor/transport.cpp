#include "daemon/supervisor/transport.hpp"

#include "base/files.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace banger::supervisor {
namespace {

/// unix(7): sun_path holds 107 bytes; through a descriptor of the directory every path is short.
struct Address {
    UniqueFd directory;
    sockaddr_un value{};

    explicit Address(const std::filesystem::path &path)
        : directory(open_file(path.parent_path(), O_PATH | O_DIRECTORY)) {
        const std::string text =
            fmt::format("/proc/self/fd/{}/{}", directory.get(), path.filename().string());
        if (text.size() >= sizeof value.sun_path) {
            fail(ErrorCode::InvalidArgument, "the name of the socket {} is too long",
                 path.string());
        }
        value.sun_family = AF_UNIX;
        text.copy(value.sun_path, sizeof value.sun_path - 1);
    }
    const sockaddr *pointer() const { return reinterpret_cast<const sockaddr *>(&value); }
};

UniqueFd make_socket(int type) {
    UniqueFd fd{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) {
        throw_errno("make a unix socket");
    }
    return fd;
}

} // namespace

UniqueFd listen_at(const std::filesystem::path &path, int type) {
    const Address address(path);
    UniqueFd fd = make_socket(type);
    ::unlink(path.c_str());
    // The mode of the descriptor is the mode of the file that bind(2) makes.
    if (::fchmod(fd.get(), 0600) != 0 ||
        ::bind(fd.get(), address.pointer(), sizeof address.value) != 0 ||
        ::listen(fd.get(), 16) != 0) {
        throw_errno(fmt::format("listen at {}", path.string()));
    }
    return fd;
}

UniqueFd connect_to(const std::filesystem::path &path) {
    const Address address(path);
    UniqueFd fd = make_socket(SOCK_STREAM);
    if (::connect(fd.get(), address.pointer(), sizeof address.value) != 0) {
        throw_errno(fmt::format("connect to {}", path.string()));
    }
    return fd;
}

ListeningTransport::ListeningTransport(EventLoop &loop, const std::filesystem::path &socket,
                                       OnConnected callback)
    : listener_(listen_at(socket, SOCK_STREAM)),
      io_(loop.add_io(listener_.get(), EPOLLIN,
                      [this, callback = std::move(callback)](std::uint32_t) {
                          UniqueFd fd{::accept4(listener_.get(), nullptr, nullptr,
                                                SOCK_CLOEXEC | SOCK_NONBLOCK)};
                          if (fd) {
                              callback(std::move(fd));
                          }
                      })) {}

ConnectingTransport::ConnectingTransport(EventLoop &loop, const std::filesystem::path &directory,
                                         std::string socket, std::string sign, OnConnected callback,
                                         std::function<void(const Error &)> on_failed)
    : directory_(directory), socket_(std::move(socket)), sign_(std::move(sign)),
      callback_(std::move(callback)), on_failed_(std::move(on_failed)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!inotify_ || ::inotify_add_watch(inotify_.get(), directory.c_str(), IN_CREATE) < 0) {
        throw_errno(fmt::format("watch {}", directory.string()));
    }
    io_ = loop.add_io(inotify_.get(), EPOLLIN, [this](std::uint32_t) { on_change(); });
}

void ConnectingTransport::on_change() {
    std::array<char, 4096> events{};
    while (::read(inotify_.get(), events.data(), events.size()) > 0) {
    }
    if (::access((directory_ / sign_).c_str(), F_OK) != 0) {
        return;
    }
    io_.reset();
    try {
        callback_(connect_to(directory_ / socket_));
    } catch (const Error &e) {
        on_failed_(e);
    }
}

} // namespace banger::supervisor
