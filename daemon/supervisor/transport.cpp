#include "daemon/supervisor/transport.hpp"

#include "base/unix_socket.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace banger::supervisor {

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
        callback_(connect_to(directory_ / socket_, SOCK_STREAM));
    } catch (const Error &e) {
        on_failed_(e);
    }
}

} // namespace banger::supervisor
