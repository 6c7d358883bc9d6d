#pragma once

#include "daemon/kernel/registry.hpp"
#include "daemon/task/worker_task.hpp"

namespace banger::kernel {

/// One pull of a bundle of the catalog: banger-image-worker unpacks it while it arrives, then the
/// kernel is published under the entry's name. What has arrived stays in the cache, however it
/// ends.
class Registry::BundlePull : public std::enable_shared_from_this<Registry::BundlePull> {
public:
    BundlePull(Registry &registry, catalog::KernelEntry entry, std::shared_ptr<job::Job> job);
    ~BundlePull();

    /// As Kernel::bundle has it.
    static std::string bundle_of(const catalog::KernelEntry &entry);

    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }
    /// What goes wrong is the job's.
    void start();

private:
    void run_worker();
    void worker_ended(Outcome<nlohmann::json> result);
    void publish(const nlohmann::json &result);
    void conclude(const std::optional<Error> &error);

    Registry &registry_;
    catalog::KernelEntry entry_;
    std::shared_ptr<job::Job> job_;
    std::filesystem::path temporary_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::kernel
