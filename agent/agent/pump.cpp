#include "agent/agent/pump.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace banger::agent {

Outlet::Outlet(Loop &loop, channel::Stream stream, UniqueFd fd)
    : stream_(std::move(stream)), fd_(std::move(fd)),
      watch_(loop.watch(fd_.get(), 0, [this](std::uint32_t) {
          watch_->set(0);
          stream_.resume_sending();
      })) {}

std::shared_ptr<Outlet> Outlet::attach(Loop &loop, const channel::Stream &stream, UniqueFd fd,
                                       channel::StreamCallbacks callbacks) {
    auto outlet = std::make_shared<Outlet>(loop, stream, std::move(fd));
    callbacks.on_pull = [outlet](std::span<std::byte> buffer) { return outlet->pull(buffer); };
    stream.set_callbacks(std::move(callbacks));
    return outlet;
}

channel::Pulled Outlet::pull(std::span<std::byte> buffer) {
    for (;;) {
        const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
        if (n > 0) {
            return {static_cast<std::size_t>(n), false};
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            watch_->set(EPOLLIN);
            return {0, false};
        }
        // The end; for a terminal that is EIO, when its last holder is gone.
        watch_.reset();
        fd_.reset();
        return {0, true};
    }
}

Inlet::Inlet(Loop &loop, channel::Stream stream, UniqueFd fd, OnEnd on_end)
    : stream_(std::move(stream)), fd_(std::move(fd)), on_end_(on_end),
      watch_(loop.watch(fd_.get(), 0, [this](std::uint32_t) {
          watch_->set(0);
          stream_.resume_reading();
      })) {}

void Inlet::join(channel::StreamCallbacks &callbacks) {
    const auto self = shared_from_this();
    callbacks.on_data = [self](channel::Bytes data) { return self->write(data); };
    callbacks.on_end = [self] { self->end(); };
}

std::size_t Inlet::write(channel::Bytes data) {
    std::size_t written = 0;
    while (fd_ && written < data.size()) {
        const auto rest = data.subspan(written);
        const ssize_t n = ::write(fd_.get(), rest.data(), rest.size());
        if (n >= 0) {
            written += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN) {
            watch_->set(EPOLLOUT);
            return written;
        } else if (errno != EINTR) {
            // Nobody reads any more: what still comes is dropped.
            watch_.reset();
            fd_.reset();
        }
    }
    return data.size();
}

void Inlet::end() {
    if (!fd_) {
        return;
    }
    if (on_end_ == OnEnd::Eof) {
        termios settings{};
        const char end_of_file = ::tcgetattr(fd_.get(), &settings) == 0
                                     ? static_cast<char>(settings.c_cc[VEOF])
                                     : '\x04';
        [[maybe_unused]] const ssize_t ignored = ::write(fd_.get(), &end_of_file, 1);
        return;
    }
    if (on_end_ == OnEnd::Shutdown) {
        ::shutdown(fd_.get(), SHUT_WR);
    }
    watch_.reset();
    fd_.reset();
}

} // namespace banger::agent
