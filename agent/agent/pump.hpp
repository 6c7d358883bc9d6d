#pragma once

#include "agent/agent/loop.hpp"
#include "agent/channel/session.hpp"
#include "base/unique_fd.hpp"

#include <functional>
#include <memory>

namespace banger::agent {

/// From a descriptor to a stream: read when the channel has room, never before.
class Outlet : public std::enable_shared_from_this<Outlet> {
public:
    /// Takes a non-blocking descriptor. `callbacks` are the stream's other callbacks; the outlet
    /// lives in them until the stream ends.
    static std::shared_ptr<Outlet> attach(Loop &loop, const channel::Stream &stream, UniqueFd fd,
                                          channel::StreamCallbacks callbacks = {});
    Outlet(Loop &loop, channel::Stream stream, UniqueFd fd);

private:
    channel::Pulled pull(std::span<std::byte> buffer);

    channel::Stream stream_;
    UniqueFd fd_;
    Loop::Watch watch_;
};

/// From a stream to a descriptor: what the descriptor does not take now stays in the channel.
class Inlet : public std::enable_shared_from_this<Inlet> {
public:
    /// What the end of the stream means.
    enum class OnEnd {
        Close,    ///< of a pipe
        Shutdown, ///< shutdown(2) of a socket's writing side
        Eof,      ///< of a terminal: its end-of-file character
    };
    Inlet(Loop &loop, channel::Stream stream, UniqueFd fd, OnEnd on_end);

    /// Puts its callbacks among `callbacks` and lives in them.
    void join(channel::StreamCallbacks &callbacks);
    /// As if the stream had ended.
    void end();

private:
    std::size_t write(channel::Bytes data);

    channel::Stream stream_;
    UniqueFd fd_;
    OnEnd on_end_;
    Loop::Watch watch_;
};

} // namespace banger::agent
