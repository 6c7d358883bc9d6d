#pragma once

#include "daemon/image/registry.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

namespace banger::image {

/// One pull: banger-image-worker fetches and writes, then the image is published. However it ends,
/// the temporary directory is gone before the job ends; layers that have arrived stay in the cache.
class Registry::Pull : public std::enable_shared_from_this<Registry::Pull> {
public:
    Pull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> job);
    ~Pull();
    Pull(const Pull &) = delete;
    Pull &operator=(const Pull &) = delete;

    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }
    const std::string &reference() const noexcept { return request_.reference; }
    /// What goes wrong is the job's.
    void start();

private:
    void run_worker();
    void worker_ended(Outcome<nlohmann::json> result);
    void publish(const nlohmann::json &result);
    void conclude(std::optional<Error> error);

    Registry &registry_;
    PullRequest request_;
    std::shared_ptr<job::Job> job_;
    std::filesystem::path temporary_; ///< in the registry: rootfs.ext4 on its way
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
