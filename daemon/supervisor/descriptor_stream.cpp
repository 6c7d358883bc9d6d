#include "daemon/supervisor/descriptor_stream.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace banger::supervisor {
namespace {

mode_t type_of(int fd) {
    struct stat st {};
    return ::fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

UniqueFd without_waiting(UniqueFd fd) {
    const mode_t type = type_of(fd.get());
    if (type != S_IFIFO && type != S_IFCHR) {
        return fd;
    }
    const int mode = ::fcntl(fd.get(), F_GETFL) & O_ACCMODE;
    const std::string path = fmt::format("/proc/self/fd/{}", fd.get());
    UniqueFd anew{::open(path.c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    if (anew) {
        return anew;
    }
    // Not ours to open again, by its mode: then its other holders see the flag.
    set_nonblocking(fd.get());
    return fd;
}

} // namespace

Endpoint::Endpoint(UniqueFd fd)
    : fd_(without_waiting(std::move(fd))), socket_(type_of(fd_.get()) == S_IFSOCK) {}

ssize_t Endpoint::read(std::span<std::byte> buffer) const noexcept {
    ssize_t n = -1;
    do {
        n = socket_ ? ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)
                    : ::read(fd_.get(), buffer.data(), buffer.size());
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t Endpoint::write(channel::Bytes data) const noexcept {
    ssize_t n = -1;
    do {
        n = socket_ ? ::send(fd_.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                    : ::write(fd_.get(), data.data(), data.size());
    } while (n < 0 && errno == EINTR);
    return n;
}

void Endpoint::shut_down_writing() const noexcept {
    if (socket_) {
        ::shutdown(fd_.get(), SHUT_WR);
    }
}

DescriptorSource::DescriptorSource(EventLoop &loop, UniqueFd fd)
    : loop_(loop), endpoint_(std::move(fd)) {}

channel::Pulled DescriptorSource::pull(std::span<std::byte> buffer) {
    if (endpoint_.get() < 0) {
        return {.bytes = 0, .end = true};
    }
    const ssize_t n = endpoint_.read(buffer);
    if (n > 0) {
        return {.bytes = static_cast<std::size_t>(n), .end = false};
    }
    if (n < 0 && errno == EAGAIN) {
        if (!readable_) {
            readable_ = loop_.add_io(endpoint_.get(), EPOLLIN, [this](std::uint32_t) {
                readable_.enable(false);
                stream_.resume_sending();
            });
        }
        readable_.enable(true);
        return {};
    }
    close();
    return {.bytes = 0, .end = true};
}

void DescriptorSource::close() noexcept {
    readable_.reset();
    endpoint_.close();
}

DescriptorSink::DescriptorSink(EventLoop &loop, UniqueFd fd) : endpoint_(std::move(fd)) {
    try {
        io_ = loop.add_io(endpoint_.get(), 0, [this](std::uint32_t revents) { on_io(revents); });
    } catch (const Error &) {
        // Regular files and /dev/null: epoll(7) does not take them, and they are never full.
        io_.reset();
    }
}

void DescriptorSink::on_io(std::uint32_t revents) {
    if ((revents & (EPOLLERR | EPOLLHUP)) != 0) {
        io_.reset();
        if (!endpoint_.is_socket()) {
            stream_.reset();
            return;
        }
        // What a socket's peer sent before it went is still on its way; writing will tell.
    } else {
        io_.set_events(0);
    }
    stream_.resume_reading();
}

std::size_t DescriptorSink::write(channel::Bytes data) {
    if (!open_) {
        return data.size();
    }
    std::size_t taken = 0;
    while (taken < data.size()) {
        const ssize_t n = endpoint_.write(data.subspan(taken));
        if (n < 0) {
            if (errno == EAGAIN) {
                io_.set_events(EPOLLOUT);
                return taken;
            }
            const int error = errno;
            end();
            throw_errno("write to a caller's descriptor", error);
        }
        taken += static_cast<std::size_t>(n);
    }
    return taken;
}

void DescriptorSink::end() noexcept {
    if (open_) {
        open_ = false;
        io_.reset();
        endpoint_.shut_down_writing();
        endpoint_.close();
    }
}

} // namespace banger::supervisor
