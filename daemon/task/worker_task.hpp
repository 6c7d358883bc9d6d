#pragma once

#include "base/outcome.hpp"
#include "daemon/task/child_task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::task {

/// One run of banger-image-worker (daemon/image/worker/report.hpp says what it tells).
class WorkerTask {
public:
    struct Handlers {
        std::function<void(std::uint64_t done, std::uint64_t total)> bytes;
        /// Once; the result is its JSON object. May destroy the task.
        std::function<void(Outcome<nlohmann::json> result)> ended;
    };

    /// Throws Error when the worker cannot be started.
    WorkerTask(EventLoop &loop, const std::filesystem::path &worker,
               std::vector<std::string> arguments, std::optional<int> standard_input,
               Handlers handlers);
    ~WorkerTask();

    void stop() { child_->stop(); }

private:
    void take_line(std::string_view line);
    void finish(int status);

    Handlers handlers_;
    std::unique_ptr<nlohmann::json> result_;
    std::optional<Error> error_;
    std::unique_ptr<ChildTask> child_;
};

} // namespace banger::task
