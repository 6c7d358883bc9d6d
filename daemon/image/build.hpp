#pragma once

#include "base/disk_room.hpp"
#include "base/temporary_directory.hpp"
#include "base/unique_fd.hpp"
#include "daemon/debian/apt_failure.hpp"
#include "daemon/image/build_preparation.hpp"
#include "daemon/image/build_progress.hpp"
#include "daemon/image/making.hpp"
#include "daemon/task/worker_task.hpp"

#include <array>

namespace banger::image {

/// One build: its plan (BuildPreparation) → mmdebstrap, whose tar flows into the worker → what is
/// left of the tree removed → published. However it ends, the tree and the temporary directory are
/// gone before the job ends.
class Registry::Build final : public Making, public std::enable_shared_from_this<Build> {
public:
    Build(Registry &registry, std::string name, catalog::ImageEntry entry,
          std::vector<std::string> extra_packages, std::shared_ptr<job::Job> job);
    ~Build() override;

    void start() override;

    /// As Making has it.
    static std::string means_of(const catalog::ImageEntry &entry,
                                const std::vector<std::string> &extra_packages);
    /// About what a build takes.
    static std::array<NeededRoom, 2> room_for(const catalog::Recipe &recipe,
                                              const Settings &settings);

private:
    void prepare();
    void run_pipeline();
    void bootstrap_ended(int status);
    void image_ended(Outcome<nlohmann::json> result);
    void stop();
    void clean_up();
    void conclude();

    template <typename Function>
    void attempt(Function function);
    void note(const Error &error);

    catalog::ImageEntry entry_;
    std::vector<std::string> extra_packages_;
    std::optional<TemporaryDirectory> temporary_; ///< in the registry: rootfs.ext4 on its way
    std::filesystem::path build_directory_;       ///< mmdebstrap's, elsewhere
    std::unique_ptr<BuildPreparation> preparation_;
    BuildPlan plan_;
    BuildProgress progress_;
    debian::UnreachableArchive archive_;
    bool disk_was_full_ = false; ///< when mmdebstrap told of an error
    std::unique_ptr<nlohmann::json> result_;
    std::optional<Error> error_; ///< the first one
    std::unique_ptr<task::ChildTask> child_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
