#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/descriptor_stream.hpp"
#include "daemon/supervisor/guest_channel.hpp"
#include "daemon/supervisor/session.hpp"

#include <functional>
#include <string>

namespace banger::supervisor {

/// A connection into the guest, to a TCP port or unix socket there. Each direction ends by itself.
class StreamSession : public Session {
public:
    struct Callbacks {
        /// Exactly one of the first two, before all else; the caller's end of the connection.
        std::function<void(UniqueFd end)> on_connected;
        std::function<void(const Error &error)> on_failed;
        std::function<void()> on_finished;
    };
    /// Throws Error when the agent is not ready.
    StreamSession(EventLoop &loop, GuestChannel &channel, const std::string &target,
                  Callbacks callbacks);
    ~StreamSession() override;

    bool finished() const noexcept override { return finished_; }

private:
    StreamSession(EventLoop &loop, GuestChannel &channel, const std::string &target,
                  Callbacks callbacks, FdPair ends);
    void on_response(int status);
    void on_close();

    Callbacks callbacks_;
    UniqueFd callers_end_;
    DescriptorSource source_;
    DescriptorSink sink_;
    channel::Stream stream_;
    int status_ = 0;
    std::string refusal_;
    bool finished_ = false;
};

} // namespace banger::supervisor
