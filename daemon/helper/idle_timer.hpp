#pragma once

#include "base/event_loop.hpp"

#include <chrono>
#include <functional>
#include <utility>

namespace banger::helper {

/// Calls back once nothing has happened for a while. touch() is what happens.
class IdleTimer {
public:
    IdleTimer(EventLoop &loop, std::chrono::microseconds patience, std::function<void()> idle)
        : loop_(loop), patience_(patience), idle_(std::move(idle)) {
        touch();
    }

    void touch() { timer_ = loop_.add_timer(patience_, idle_); }

private:
    EventLoop &loop_;
    std::chrono::microseconds patience_;
    std::function<void()> idle_;
    EventSource timer_;
};

} // namespace banger::helper
