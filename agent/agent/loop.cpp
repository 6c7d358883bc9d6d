#include "agent/agent/loop.hpp"

#include "agent/agent/log.hpp"
#include "base/error.hpp"

#include <sys/epoll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace banger::agent {

using Clock = std::chrono::steady_clock;

struct Loop::Entry {
    int fd = -1;
    std::uint32_t events = 0;
    std::function<void(std::uint32_t)> on_events;
    std::optional<Clock::time_point> deadline;
    std::function<void()> on_time;
    pid_t pid = -1;
    std::function<void(int)> on_exit;
};

namespace {

template <typename F>
void guarded(F &&callback) {
    try {
        callback();
    } catch (const std::exception &error) {
        log(error.what());
    }
}

} // namespace

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) {
        throw_errno("make an epoll descriptor");
    }
}

Loop::~Loop() = default;

std::uint64_t Loop::add(std::shared_ptr<Entry> entry) {
    const std::uint64_t id = next_id_++;
    entries_.emplace(id, std::move(entry));
    return id;
}

void Loop::remove(std::uint64_t id) noexcept {
    if (const auto found = entries_.find(id); found != entries_.end()) {
        if (found->second->events != 0) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
        }
        entries_.erase(found);
    }
}

void Loop::set_events(Entry &entry, std::uint64_t id, std::uint32_t events) {
    if (entry.events == events) {
        return;
    }
    // Without events it leaves epoll: a hang-up is reported even to those who asked for nothing.
    const int operation = events == 0         ? EPOLL_CTL_DEL
                          : entry.events == 0 ? EPOLL_CTL_ADD
                                              : EPOLL_CTL_MOD;
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), operation, entry.fd, &event) != 0) {
        throw_errno("watch a descriptor");
    }
    entry.events = events;
}

void Loop::Registration::set(std::uint32_t events) {
    if (const auto found = loop_->entries_.find(id_); found != loop_->entries_.end()) {
        loop_->set_events(*found->second, id_, events);
    }
}

Loop::Watch Loop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> callback) {
    auto entry = std::make_shared<Entry>();
    entry->fd = fd;
    entry->on_events = std::move(callback);
    const std::uint64_t id = add(entry);
    auto registration = std::make_unique<Registration>(*this, id);
    set_events(*entry, id, events);
    return registration;
}

Loop::Watch Loop::timer(std::chrono::milliseconds delay, std::function<void()> callback) {
    auto entry = std::make_shared<Entry>();
    entry->deadline = Clock::now() + delay;
    entry->on_time = std::move(callback);
    return std::make_unique<Registration>(*this, add(std::move(entry)));
}

Loop::Watch Loop::child(pid_t pid, std::function<void(int)> callback) {
    auto entry = std::make_shared<Entry>();
    entry->pid = pid;
    entry->on_exit = std::move(callback);
    return std::make_unique<Registration>(*this, add(std::move(entry)));
}

void Loop::reap() {
    for (;;) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            return;
        }
        for (const auto &[id, entry] : entries_) {
            if (entry->pid == pid) {
                const auto kept = entry;
                kept->pid = -1;
                guarded([&] { kept->on_exit(status); });
                break;
            }
        }
    }
}

void Loop::fire_timers() {
    const auto now = Clock::now();
    std::vector<std::shared_ptr<Entry>> due;
    for (const auto &[id, entry] : entries_) {
        if (entry->deadline && *entry->deadline <= now) {
            entry->deadline.reset();
            due.push_back(entry);
        }
    }
    for (const auto &entry : due) {
        // One that was cancelled by an earlier one is in no map any more.
        const bool alive = std::any_of(entries_.begin(), entries_.end(),
                                       [&](const auto &other) { return other.second == entry; });
        if (alive) {
            guarded([&] { entry->on_time(); });
        }
    }
}

void Loop::run_once(std::chrono::milliseconds timeout) {
    if (before_wait_) {
        guarded(before_wait_);
    }
    const auto now = Clock::now();
    for (const auto &[id, entry] : entries_) {
        if (entry->deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*entry->deadline - now);
            timeout = std::clamp(left, std::chrono::milliseconds::zero(), timeout);
        }
    }
    std::array<epoll_event, 32> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(timeout.count()));
    if (count < 0 && errno != EINTR) {
        throw_errno("wait for events");
    }
    for (int i = 0; i < count; ++i) {
        const epoll_event &event = events.at(static_cast<std::size_t>(i));
        const auto found = entries_.find(event.data.u64);
        if (found != entries_.end() && found->second->events != 0) {
            const auto kept = found->second;
            guarded([&] { kept->on_events(event.events); });
        }
    }
    fire_timers();
}

void Loop::run() {
    constexpr std::chrono::milliseconds longest{60000};
    for (;;) {
        run_once(longest);
    }
}

} // namespace banger::agent
