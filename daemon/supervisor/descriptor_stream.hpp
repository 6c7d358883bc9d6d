#pragma once

#include "agent/channel/session.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <functional>
#include <span>

namespace banger::supervisor {

/// A descriptor that somebody handed us, so that it can be read and written without ever waiting.
/// A pipe or terminal is opened anew: O_NONBLOCK on the given descriptor would change it for its
/// other holders too.
class Endpoint {
public:
    explicit Endpoint(UniqueFd fd);

    int get() const noexcept { return fd_.get(); }
    bool is_socket() const noexcept { return socket_; }
    /// As read(2) and write(2); -1 with EAGAIN when it would have to wait. No SIGPIPE from sockets.
    ssize_t read(std::span<std::byte> buffer) const noexcept;
    ssize_t write(channel::Bytes data) const noexcept;
    /// A socket's direction; nothing for other descriptors.
    void shut_down_writing() const noexcept;
    void close() noexcept { fd_.reset(); }

private:
    UniqueFd fd_;
    bool socket_ = false;
};

/// Feeds a stream of the channel from a descriptor: give pull() as the stream's on_pull.
class DescriptorSource {
public:
    DescriptorSource(EventLoop &loop, UniqueFd fd);

    /// The stream that is told when there is something to read again.
    void feed(channel::Stream stream) { stream_ = std::move(stream); }
    channel::Pulled pull(std::span<std::byte> buffer);
    /// Closes the descriptor.
    void close() noexcept;

private:
    EventLoop &loop_;
    Endpoint endpoint_;
    channel::Stream stream_;
    EventSource readable_;
};

/// Takes a stream's data to a descriptor: give write() as the stream's on_data.
class DescriptorSink {
public:
    DescriptorSink(EventLoop &loop, UniqueFd fd);

    /// The stream that is told when there is room again, and reset when nobody reads any more.
    void drain(channel::Stream stream) { stream_ = std::move(stream); }
    /// How much the descriptor took now. Throws Error when nobody reads it any more.
    std::size_t write(channel::Bytes data);
    /// Nothing follows: ends a socket's direction, and closes the descriptor.
    void end() noexcept;

private:
    void on_io(std::uint32_t revents);

    Endpoint endpoint_;
    channel::Stream stream_;
    EventSource io_;
    bool open_ = true;
};

} // namespace banger::supervisor
