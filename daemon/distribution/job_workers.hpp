#pragma once

#include "daemon/job/job.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::distribution {

/// Runs of banger-image-worker, each for a job that it ends. Destroyed, it ends the runs. Lives on
/// the event loop's thread.
class JobWorkers {
public:
    JobWorkers(EventLoop &loop, std::filesystem::path worker)
        : loop_(loop), worker_(std::move(worker)) {}

    /// Called when the worker has ended, before the next thing happens to the job.
    using Ended = std::function<void(const std::optional<Error> &error)>;
    /// The bytes that the worker tells are the job's, and a cancelled job stops it. What goes wrong
    /// is the job's; without `ended` its end is the job's, too.
    void run(const std::shared_ptr<job::Job> &job, std::vector<std::string> arguments,
             Ended ended = {});

private:
    void finish(std::uint64_t id, const Ended &ended, const Outcome<nlohmann::json> &result);

    struct Run {
        std::shared_ptr<job::Job> job;
        std::unique_ptr<task::WorkerTask> worker;
    };
    EventLoop &loop_;
    std::filesystem::path worker_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, Run> runs_;
};

} // namespace banger::distribution
