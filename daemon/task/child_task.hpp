#pragma once

#include "base/event_loop.hpp"
#include "base/process.hpp"
#include "base/unique_fd.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace banger::task {

/// A program that runs while the event loop goes on, read line by line. Destroying it kills the
/// program and its process group.
class ChildTask {
public:
    using OnLine = std::function<void(std::string_view line)>;
    struct Handlers {
        OnLine output;    ///< standard output; none: Command's
        OnLine complaint; ///< standard error; its last lines are kept in any case
        OnLine status;    ///< descriptor 3
        /// Once, when the program is dead and all that it wrote was handed over. May destroy the
        /// task.
        std::function<void(int wait_status)> ended;
    };

    /// Throws Error when the program cannot be started.
    ChildTask(EventLoop &loop, Command command, Handlers handlers);
    ~ChildTask();
    ChildTask(const ChildTask &) = delete;
    ChildTask &operator=(const ChildTask &) = delete;

    /// SIGTERM to the group, and SIGKILL if it has not ended in time; `ended` comes as ever.
    void stop();
    /// The last lines of standard error, the oldest first.
    const std::deque<std::string> &complaints() const noexcept { return complaints_; }

private:
    struct Stream {
        UniqueFd fd;
        EventSource source;
        std::string pending;
        OnLine on_line;
    };
    void open_stream(OnLine on_line, UniqueFd &child_end);
    void read(Stream &stream);
    void finish(int status);

    EventLoop &loop_;
    Handlers handlers_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::deque<std::string> complaints_;
    ChildProcess child_;
    EventSource kill_timer_;
};

} // namespace banger::task
