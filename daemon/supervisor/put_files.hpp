#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/descriptor_stream.hpp"
#include "daemon/supervisor/guest_channel.hpp"
#include "daemon/supervisor/session.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace banger::supervisor {

/// A tar stream on its way from a caller's descriptor into a directory of the guest.
class PutFiles : public Session {
public:
    struct Callbacks {
        /// Exactly one of the two; then the session is finished.
        std::function<void(std::uint64_t entries, std::uint64_t bytes)> on_done;
        std::function<void(const Error &error)> on_failed;
        std::function<void()> on_finished;
    };
    /// Throws Error when the agent is not ready.
    PutFiles(EventLoop &loop, GuestChannel &channel, const std::string &directory, UniqueFd tar,
             Callbacks callbacks);
    ~PutFiles() override;

    bool finished() const noexcept override { return finished_; }

private:
    void on_close(channel::CloseReason reason);

    Callbacks callbacks_;
    DescriptorSource source_;
    channel::Stream stream_;
    int status_ = 0;
    std::string body_;
    bool finished_ = false;
};

} // namespace banger::supervisor
