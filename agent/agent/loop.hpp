#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace banger::agent {

/// epoll(7) with owned registrations: the agent is static, so sd-event is not to be had. One
/// thread.
class Loop {
public:
    class Registration;
    /// Destroying it ends the registration, also from inside its own callback.
    using Watch = std::unique_ptr<Registration>;

    Loop();
    ~Loop();
    Loop(const Loop &) = delete;
    Loop &operator=(const Loop &) = delete;

    /// Waits for `events` (EPOLLIN …; 0: nothing, not even a hang-up, until set()). The descriptor
    /// stays the caller's and outlives the watch; one watch per descriptor.
    [[nodiscard]] Watch watch(int fd, std::uint32_t events,
                              std::function<void(std::uint32_t)> callback);
    /// Fires once.
    [[nodiscard]] Watch timer(std::chrono::milliseconds delay, std::function<void()> callback);
    /// Fires once with the waitpid(2) status of that child.
    [[nodiscard]] Watch child(pid_t pid, std::function<void(int)> callback);
    /// Runs before each wait.
    void before_wait(std::function<void()> callback) { before_wait_ = std::move(callback); }

    /// To be called on SIGCHLD: reaps all children, also those that nobody watches.
    void reap();
    /// One round of waiting and dispatching, at most `timeout`.
    void run_once(std::chrono::milliseconds timeout);
    [[noreturn]] void run();

private:
    struct Entry;
    std::uint64_t add(std::shared_ptr<Entry> entry);
    void remove(std::uint64_t id) noexcept;
    void set_events(Entry &entry, std::uint64_t id, std::uint32_t events);
    void fire_timers();

    UniqueFd epoll_;
    std::map<std::uint64_t, std::shared_ptr<Entry>> entries_;
    std::uint64_t next_id_ = 1;
    std::function<void()> before_wait_;
};

class Loop::Registration {
public:
    Registration(Loop &loop, std::uint64_t id) : loop_(&loop), id_(id) {}
    ~Registration() { loop_->remove(id_); }
    Registration(const Registration &) = delete;
    Registration &operator=(const Registration &) = delete;

    /// Of a watched descriptor: what to wait for now.
    void set(std::uint32_t events);

private:
    Loop *loop_;
    std::uint64_t id_;
};

} // namespace banger::agent
