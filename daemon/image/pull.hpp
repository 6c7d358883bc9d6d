#pragma once

#include "daemon/image/making.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

namespace banger::image {

/// One pull: banger-image-worker fetches and writes, then the image is published. However it ends,
/// the temporary directory is gone before the job ends; layers that have arrived stay in the cache.
class Registry::Pull final : public Making, public std::enable_shared_from_this<Pull> {
public:
    /// With a name, and the reference in full.
    Pull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> job);
    ~Pull() override;

    void start() override;

private:
    void run_worker();
    void worker_ended(Outcome<nlohmann::json> result);
    void publish(const nlohmann::json &result);
    void conclude(std::optional<Error> error);

    PullRequest request_;
    std::filesystem::path temporary_; ///< in the registry: rootfs.ext4 on its way
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
