#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace banger {

/// A program to run: a value, so that command lines can be tested. Never goes through a shell.
struct Command {
    /// argv[0] is looked up in PATH when it holds no '/'.
    std::vector<std::string> argv;
    /// NAME=VALUE, added to or replacing the environment of this process.
    std::vector<std::string> environment;
    std::string working_directory;
    /// Descriptors of this process for the child's 0, 1 and 2; none: /dev/null for 0, this
    /// process's for 1 and 2.
    std::optional<int> standard_input;
    std::optional<int> standard_output;
    std::optional<int> standard_error;
    /// Further descriptors: {ours, the number in the child}. All others are closed in the child.
    std::vector<std::pair<int, int>> descriptors;
    /// A process group of its own, so that kill() reaches the grandchildren.
    bool own_process_group = true;
    /// The child gets SIGKILL when the thread that started it dies.
    bool die_with_parent = false;
};

/// A running child. Destroying it while it runs kills its process group and reaps the child.
class ChildProcess {
public:
    ChildProcess() = default;
    ChildProcess(ChildProcess &&other) noexcept;
    ChildProcess &operator=(ChildProcess &&other) noexcept;
    ~ChildProcess();

    pid_t pid() const noexcept { return pid_; }
    explicit operator bool() const noexcept { return pid_ > 0; }
    /// Sends the signal to the group (own_process_group) or the process; does nothing once it is
    /// dead.
    void kill(int signal_number) noexcept;
    /// Waits without an event loop; the status is as from waitpid(2). Throws Error.
    int wait();
    /// Calls back once, with the waitpid(2) status, when the child is dead.
    void on_exit(EventLoop &loop, std::function<void(int status)> callback);

private:
    friend ChildProcess spawn(const Command &command);
    ChildProcess(pid_t pid, bool group) : pid_(pid), group_(group) {}
    void abandon() noexcept;

    pid_t pid_ = -1;
    bool group_ = false;
    std::unique_ptr<EventSource> watch_;
    // Shared with the exit callback, which may outlive a moved-from object.
    std::shared_ptr<bool> dead_ = std::make_shared<bool>(false);
};

/// Starts the program. Throws Error{NotFound} if there is no such program, which names it.
ChildProcess spawn(const Command &command);

/// "exited with status 3", "was killed by SIGKILL"
std::string describe_exit(int status);

/// Runs to the end and returns standard output, bounded by `limit` bytes. Throws Error when the
/// program fails; the message holds the last lines of its standard error. Blocking: not for the
/// event loop's thread.
std::string run_and_read(Command command, std::size_t limit = 16U << 20U);

} // namespace banger
