#pragma once

#include "base/event_loop.hpp"

#include <chrono>
#include <functional>

namespace banger {

/// Calls `exit` when nobody has used the daemon for a while and there is no work.
class IdleExit {
public:
    IdleExit(EventLoop &loop, std::chrono::seconds patience, std::function<bool()> busy,
             std::function<void()> exit)
        : loop_(loop), patience_(patience), busy_(std::move(busy)), exit_(std::move(exit)) {
        arm();
    }

    /// Somebody has used the daemon.
    void touch() { used_ = true; }

private:
    void arm() {
        used_ = false;
        timer_ = loop_.add_timer(patience_, [this] {
            if (used_ || busy_()) {
                arm();
            } else {
                exit_();
            }
        });
    }

    EventLoop &loop_;
    std::chrono::seconds patience_;
    std::function<bool()> busy_;
    std::function<void()> exit_;
    bool used_ = false;
    EventSource timer_;
};

} // namespace banger
