#pragma once

#include "base/event_loop.hpp"
#include "base/outcome.hpp"
#include "daemon/job/job.hpp"
#include "daemon/task/worker_task.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::image {

/// The layers of OCI images that are kept for the next pull: what of them the user may see and
/// remove. No image needs them. Lives on the event loop's thread; a worker looks at the files.
class LayerCache {
public:
    struct Blob {
        std::string digest; ///< "sha256:…"
        std::uint64_t size = 0;
        std::int64_t last_used = 0; ///< seconds since the epoch
        bool partial = false;       ///< its download has not ended
    };
    using JobFactory = std::function<std::shared_ptr<job::Job>(std::string, std::string)>;

    LayerCache(EventLoop &loop, std::filesystem::path worker, std::filesystem::path directory,
               JobFactory new_job)
        : loop_(loop), worker_(std::move(worker)), directory_(std::move(directory)),
          new_job_(std::move(new_job)) {}

    /// Calls back later, the last used blob first.
    void list(std::function<void(Outcome<std::vector<Blob>>)> done);
    /// Removes what was not used for so long, or all. The job's bytes tell how much was freed.
    std::shared_ptr<job::Job> prune(std::optional<std::chrono::seconds> unused_for);

private:
    void run(std::vector<std::string> arguments, std::function<void(Outcome<nlohmann::json>)> done);

    EventLoop &loop_;
    std::filesystem::path worker_;
    std::filesystem::path directory_;
    JobFactory new_job_;
    std::list<std::unique_ptr<task::WorkerTask>> tasks_;
};

} // namespace banger::image
