#pragma once

#include "base/temporary_directory.hpp"
#include "daemon/image/making.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

namespace banger::image {

/// An image that one run of banger-image-worker makes. However it ends, the temporary directory is
/// gone before the job ends.
class Registry::WorkerMaking : public Making, public std::enable_shared_from_this<WorkerMaking> {
public:
    using Making::Making;
    ~WorkerMaking() override;

    void start() override;

protected:
    virtual std::string stage() const { return "pulling " + means(); }
    virtual std::vector<std::string> arguments() const = 0;
    /// What the worker told of the image, which is in the temporary directory. May throw.
    virtual void take(const nlohmann::json &result) = 0;

    /// In the registry: rootfs.ext4 on its way.
    const std::filesystem::path &temporary() const noexcept { return temporary_->path(); }
    void publish(Image image);

private:
    void run_worker();
    void worker_ended(Outcome<nlohmann::json> result);
    void conclude(std::optional<Error> error);

    std::optional<TemporaryDirectory> temporary_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
