#pragma once

#include "base/unique_fd.hpp"
#include "daemon/debian/apt_failure.hpp"
#include "daemon/image/build_progress.hpp"
#include "daemon/image/recipe.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/task/worker_task.hpp"

namespace banger::image {

/// One build: settings of apt → mmdebstrap, whose tar flows into the worker → what is left of the
/// tree removed → published. However it ends, the tree and the temporary directory are gone before
/// the job ends.
class Registry::Build : public std::enable_shared_from_this<Registry::Build> {
public:
    Build(Registry &registry, const Recipe &recipe, std::shared_ptr<job::Job> job);
    ~Build();

    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }
    void start();

private:
    void read_settings();
    void run_pipeline();
    void bootstrap_ended(int status);
    void image_ended(Outcome<nlohmann::json> result);
    void stop();
    void clean_up();
    void conclude();

    template <typename Function>
    void attempt(Function function);
    void note(const Error &error);

    Registry &registry_;
    const Recipe &recipe_;
    std::shared_ptr<job::Job> job_;
    std::filesystem::path temporary_;       ///< in the registry: rootfs.ext4 on its way
    std::filesystem::path build_directory_; ///< mmdebstrap's, elsewhere
    std::string settings_;
    std::vector<std::string> sources_;
    BuildProgress progress_;
    debian::UnreachableArchive archive_;
    std::unique_ptr<nlohmann::json> result_;
    std::optional<Error> error_; ///< the first one
    std::unique_ptr<task::ChildTask> child_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
