#include "base/event_loop.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <sys/wait.h>
#include <systemd/sd-event.h>

#include <csignal>
#include <exception>
#include <utility>

namespace banger {

struct EventSource::State {
    sd_event_source *source = nullptr;
    std::function<void(std::uint32_t)> on_io;
    std::function<void()> on_event;
    std::function<void(int)> on_child;
    bool *destroyed = nullptr;

    ~State() {
        if (destroyed != nullptr) {
            *destroyed = true;
        }
        sd_event_source_disable_unref(source);
    }
};

namespace {

// The callback is moved out while it runs, so that it may destroy its own source.
template <typename Callback, typename... Args>
void dispatch(EventSource::State *state, Callback EventSource::State::*member, Args... args) {
    bool destroyed = false;
    state->destroyed = &destroyed;
    Callback callback = std::move(state->*member);
    try {
        callback(args...);
    } catch (const std::exception &e) {
        log::error(e.what());
    } catch (...) {
        log::error("an unknown exception reached the event loop");
    }
    if (!destroyed) {
        state->destroyed = nullptr;
        state->*member = std::move(callback);
    }
}

EventSource::State *state_of(void *userdata) {
    return static_cast<EventSource::State *>(userdata);
}

int on_io(sd_event_source *, int, std::uint32_t revents, void *userdata) {
    dispatch(state_of(userdata), &EventSource::State::on_io, revents);
    return 0;
}

int on_time(sd_event_source *, std::uint64_t, void *userdata) {
    dispatch(state_of(userdata), &EventSource::State::on_event);
    return 0;
}

int on_defer(sd_event_source *, void *userdata) {
    dispatch(state_of(userdata), &EventSource::State::on_event);
    return 0;
}

int on_signal(sd_event_source *, const struct signalfd_siginfo *, void *userdata) {
    dispatch(state_of(userdata), &EventSource::State::on_event);
    return 0;
}

int on_child(sd_event_source *, const siginfo_t *info, void *userdata) {
    const int status =
        info->si_code == CLD_EXITED
            ? W_EXITCODE(info->si_status, 0)
            : W_EXITCODE(0, info->si_status) | (info->si_code == CLD_DUMPED ? WCOREFLAG : 0);
    dispatch(state_of(userdata), &EventSource::State::on_child, status);
    return 0;
}

void check(int result, std::string_view what) {
    if (result < 0) {
        throw_errno(what, -result);
    }
}

} // namespace

EventSource::EventSource() noexcept = default;
EventSource::EventSource(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
EventSource::EventSource(EventSource &&) noexcept = default;
EventSource &EventSource::operator=(EventSource &&) noexcept = default;
EventSource::~EventSource() = default;

void EventSource::enable(bool on) {
    if (state_) {
        check(sd_event_source_set_enabled(state_->source, on ? SD_EVENT_ON : SD_EVENT_OFF),
              "switch an event source");
    }
}

void EventSource::set_events(std::uint32_t events) {
    if (state_) {
        check(sd_event_source_set_io_events(state_->source, events), "change an event source");
    }
}

void EventSource::reset() noexcept {
    state_.reset();
}

EventLoop::EventLoop() {
    check(sd_event_new(&event_), "create the event loop");
}
EventLoop::~EventLoop() {
    sd_event_unref(event_);
}

EventSource EventLoop::add_io(int fd, std::uint32_t events,
                              std::function<void(std::uint32_t)> callback) {
    auto state = std::make_unique<EventSource::State>();
    state->on_io = std::move(callback);
    check(sd_event_add_io(event_, &state->source, fd, events, on_io, state.get()),
          "watch a descriptor");
    return EventSource{std::move(state)};
}

EventSource EventLoop::add_timer(std::chrono::microseconds delay, std::function<void()> callback) {
    auto state = std::make_unique<EventSource::State>();
    state->on_event = std::move(callback);
    check(sd_event_add_time_relative(event_, &state->source, CLOCK_MONOTONIC,
                                     static_cast<std::uint64_t>(delay.count()), 1000, on_time,
                                     state.get()),
          "set a timer");
    return EventSource{std::move(state)};
}

EventSource EventLoop::add_deferred(std::function<void()> callback) {
    auto state = std::make_unique<EventSource::State>();
    state->on_event = std::move(callback);
    check(sd_event_add_defer(event_, &state->source, on_defer, state.get()), "defer a call");
    return EventSource{std::move(state)};
}

EventSource EventLoop::add_signal(int signal_number, std::function<void()> callback) {
    auto state = std::make_unique<EventSource::State>();
    state->on_event = std::move(callback);
    check(sd_event_add_signal(event_, &state->source, signal_number, on_signal, state.get()),
          "watch a signal");
    return EventSource{std::move(state)};
}

EventSource EventLoop::add_child(pid_t pid, std::function<void(int)> callback) {
    auto state = std::make_unique<EventSource::State>();
    state->on_child = std::move(callback);
    check(sd_event_add_child(event_, &state->source, pid, WEXITED, on_child, state.get()),
          "watch a child process");
    return EventSource{std::move(state)};
}

int EventLoop::run() {
    const int code = sd_event_loop(event_);
    check(code, "run the event loop");
    return code;
}

void EventLoop::exit(int code) noexcept {
    sd_event_exit(event_, code);
}

void EventLoop::enable_watchdog() {
    check(sd_event_set_watchdog(event_, 1), "enable the watchdog");
}

void block_signals(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : signals) {
        sigaddset(&set, number);
    }
    if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
        throw_errno("block signals", error);
    }
}

} // namespace banger
