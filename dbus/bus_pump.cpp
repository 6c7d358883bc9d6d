#include "dbus/bus_pump.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "dbus/compat.hpp"

#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include <chrono>
#include <limits>

namespace banger::bus {
namespace {

struct SourceDeleter {
    void operator()(sd_event_source *source) const { sd_event_source_disable_unref(source); }
};
using Source = std::unique_ptr<sd_event_source, SourceDeleter>;

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

void check(int result) {
    if (result < 0) {
        throw_errno("attach a bus connection to the event loop", -result);
    }
}

struct Wait {
    int fd;
    int event_fd;
    std::uint32_t events;
    std::uint64_t until_usec; // CLOCK_MONOTONIC, absolute
};

Wait wait_of(sdbus::IConnection &connection) {
    const auto data = connection.getEventLoopPollData();
#if BANGER_SDBUS_2
    const auto until = data.timeout == std::chrono::microseconds::max()
                           ? never
                           : static_cast<std::uint64_t>(data.timeout.count());
    return {data.fd, data.eventFd, static_cast<std::uint32_t>(data.events), until};
#else
    return {data.fd, -1, static_cast<std::uint32_t>(data.events), data.timeout_usec};
#endif
}

} // namespace

struct BusPump::State {
    EventLoop &loop;
    sdbus::IConnection &connection;
    std::function<void()> on_lost;
    Source io;
    Source wakeup;
    Source timer;
    bool lost = false;

    void lose(const char *why) {
        if (lost) {
            return;
        }
        lost = true;
        io.reset();
        wakeup.reset();
        timer.reset();
        log::warning(fmt::format("the bus connection is lost: {}", why));
        if (on_lost) {
            on_lost();
        } else {
            loop.exit(1);
        }
    }

    void prepare() {
        const Wait wait = wait_of(connection);
        check(sd_event_source_set_io_events(io.get(), wait.events));
        check(sd_event_source_set_time(timer.get(), wait.until_usec));
        check(sd_event_source_set_enabled(
            timer.get(), wait.until_usec == never ? SD_EVENT_OFF : SD_EVENT_ONESHOT));
    }

    void process_all() {
        while (process(connection)) {
        }
    }

    template <typename Work>
    static int guarded(void *userdata, Work work) {
        auto *state = static_cast<State *>(userdata);
        try {
            work(*state);
        } catch (const std::exception &e) {
            state->lose(e.what());
        }
        return 0;
    }
};

BusPump::BusPump(EventLoop &loop, sdbus::IConnection &connection, std::function<void()> on_lost)
    : state_(new State{loop, connection, std::move(on_lost), {}, {}, {}}) {
    const Wait wait = wait_of(connection);
    const auto on_io = [](sd_event_source *, int, std::uint32_t, void *userdata) {
        return State::guarded(userdata, [](State &state) { state.process_all(); });
    };
    sd_event_source *source = nullptr;
    check(sd_event_add_io(loop.get(), &source, wait.fd, wait.events, on_io, state_.get()));
    state_->io.reset(source);
    check(sd_event_source_set_prepare(source, [](sd_event_source *, void *userdata) {
        return State::guarded(userdata, [](State &state) { state.prepare(); });
    }));
    if (wait.event_fd >= 0) {
        source = nullptr;
        check(sd_event_add_io(loop.get(), &source, wait.event_fd, EPOLLIN, on_io, state_.get()));
        state_->wakeup.reset(source);
    }
    source = nullptr;
    check(sd_event_add_time(
        loop.get(), &source, CLOCK_MONOTONIC, never, 1,
        [](sd_event_source *, std::uint64_t, void *userdata) {
            return State::guarded(userdata, [](State &state) { state.process_all(); });
        },
        state_.get()));
    state_->timer.reset(source);
}

BusPump::~BusPump() = default;

} // namespace banger::bus
