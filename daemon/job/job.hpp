#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace banger::job {

enum class State { Running, Done, Failed, Cancelled };
std::string_view to_string(State state) noexcept;

/// What a job tells about itself at one moment; plain data for the bus and the CLI.
struct Snapshot {
    std::uint32_t id = 0;
    std::string kind;    ///< "create", "start", "stop", "delete", "build-image", "pull-kernel" …
    std::string subject; ///< name of the VM, image or kernel
    std::string stage;   ///< lower-case words for people: "downloading packages"
    double progress = 0; ///< 0 to 1 over the whole job; never goes back
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0; ///< 0: unknown
    State state = State::Running;
    std::optional<Error> error;
    std::vector<std::pair<std::string, std::chrono::microseconds>> stage_durations;
};

/// One long operation. Lives on the event loop's thread. Ends exactly once: done(), failed() or,
/// after cancel(), failed(Error{Cancelled}) by its owner, when it has undone what it did. Whoever
/// does the work keeps a shared_ptr; so does the table (JobTable), for 30 s after the end.
class Job {
public:
    using Observer = std::function<void(const Snapshot &)>;

    Job(std::uint32_t id, std::string kind, std::string subject);

    const Snapshot &snapshot() const noexcept { return snapshot_; }
    bool running() const noexcept { return snapshot_.state == State::Running; }

    /// Begins a stage; `progress_at_start` is the progress of the whole job (0 to 1).
    void stage(std::string name, double progress_at_start);
    void progress(double whole);
    void bytes(std::uint64_t done, std::uint64_t total);

    void done();
    void failed(const Error &error);

    /// Asks for the end. Does nothing when there is nothing to stop any more. The hook stops the
    /// work, and the work then calls failed(); it is replaced stage by stage, an empty one means
    /// «cannot be cancelled now»: the request is then kept and cancel_requested() true.
    void cancel();
    void on_cancel(std::function<void()> hook);
    bool cancel_requested() const noexcept { return cancel_requested_; }

    /// Called on each change, and once more at the end. Observers are dropped after the end.
    void observe(Observer observer);

private:
    void notify();
    void finish(State state);

    Snapshot snapshot_;
    std::vector<Observer> observers_;
    std::function<void()> cancel_hook_;
    bool cancel_requested_ = false;
    std::chrono::steady_clock::time_point stage_began_;
};

} // namespace banger::job
