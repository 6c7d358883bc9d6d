#pragma once

#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

struct sd_event;
struct sd_event_source;

namespace banger {

/// A registration with an EventLoop. Destroying it ends the registration, also from inside its own
/// callback.
class EventSource {
public:
    struct State;

    EventSource() noexcept;
    explicit EventSource(std::unique_ptr<State> state) noexcept;
    EventSource(EventSource &&) noexcept;
    EventSource &operator=(EventSource &&) noexcept;
    ~EventSource();

    explicit operator bool() const noexcept { return state_ != nullptr; }
    /// Switches dispatching on and off without forgetting the registration.
    void enable(bool on);
    /// For an I/O source: the epoll(7) events to wait for.
    void set_events(std::uint32_t events);
    void reset() noexcept;

private:
    std::unique_ptr<State> state_;
};

/// sd-event(3) with owned registrations. One thread. An exception that leaves a callback is logged,
/// and the loop goes on: one bad message stops nobody else.
class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop &) = delete;
    EventLoop &operator=(const EventLoop &) = delete;

    /// `events` is a set of EPOLLIN, EPOLLOUT …; the descriptor stays the caller's and must outlive
    /// the source.
    [[nodiscard]] EventSource add_io(int fd, std::uint32_t events,
                                     std::function<void(std::uint32_t revents)> callback);
    /// Fires once after `delay`, on CLOCK_MONOTONIC.
    [[nodiscard]] EventSource add_timer(std::chrono::microseconds delay,
                                        std::function<void()> callback);
    /// Fires once in the next iteration.
    [[nodiscard]] EventSource add_deferred(std::function<void()> callback);
    /// The signal must be blocked in every thread (see block_signals()).
    [[nodiscard]] EventSource add_signal(int signal_number, std::function<void()> callback);
    /// Fires once when the child is dead, and reaps it; `status` is as from waitpid(2). SIGCHLD
    /// must be blocked.
    [[nodiscard]] EventSource add_child(pid_t pid, std::function<void(int status)> callback);
    /// Runs until exit(); returns its code. Throws Error.
    int run();
    void exit(int code) noexcept;
    /// sd_event_set_watchdog(3): answers the unit's WatchdogSec=, where it has one.
    void enable_watchdog();

    sd_event *get() const noexcept { return event_; }

private:
    sd_event *event_ = nullptr;
};

/// Blocks the signals in the calling thread, so that an event loop can receive them. Call first in
/// main.
void block_signals(std::initializer_list<int> signals);

} // namespace banger
