#pragma once

#include "cli/client.hpp"
#include "cli/job_progress.hpp"

#include <memory>
#include <optional>
#include <string>

namespace banger::cli {

/// What Ctrl-C does to the operation that is waited for.
enum class OnInterrupt {
    Cancel, ///< undone before the wait ends
    Leave,  ///< it goes on in bangerd
};

struct JobOutcome {
    std::string subject; ///< the name of what was made, started …
    std::optional<Error> error;
};

/// Waits for jobs of bangerd. Create it before the call that starts a job: it then knows each job's
/// end, also one that is told before the call itself has returned.
class Jobs {
public:
    explicit Jobs(Client &client);
    ~Jobs();
    Jobs(const Jobs &) = delete;
    Jobs &operator=(const Jobs &) = delete;

    /// Waits for the end with a progress line. Throws the job's own Error, Interrupted, or Error
    /// when bangerd has gone. The result is the job's subject.
    std::string finish(const sdbus::ObjectPath &job, const std::string &title,
                       OnInterrupt on_interrupt);

    /// Waits silently; the job's error is part of the result.
    JobOutcome outcome(const sdbus::ObjectPath &job);

private:
    class Listener;

    bool over(const sdbus::ObjectPath &job) const;
    JobOutcome ended(const sdbus::ObjectPath &job);

    Client &client_;
    DaemonWatch daemon_;
    std::unique_ptr<Listener> listener_;
};

} // namespace banger::cli
