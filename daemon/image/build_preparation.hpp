#pragma once

#include "base/outcome.hpp"
#include "daemon/debian/apt_failure.hpp"
#include "daemon/debian/private_apt.hpp"
#include "daemon/image/build_plan.hpp"
#include "daemon/job/job.hpp"
#include "daemon/task/worker_task.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::image {

/// Makes the plan of a build, so that whatever is out of reach or misspelt is known in seconds:
/// apt's settings → Debian's package lists → the files of the recipe and the keys of its further
/// sources → their lists → whether the packages can be installed. An optional part that fails is
/// left out and named in the job's stage; what else fails is the end.
class BuildPreparation {
public:
    using Done = std::function<void(Outcome<BuildPlan>)>;

    /// Everything is written below `directory`. `doing` is for messages: "build debian-trixie".
    BuildPreparation(EventLoop &loop, std::filesystem::path worker, std::filesystem::path directory,
                     catalog::Recipe recipe, std::vector<std::string> extra_packages,
                     std::string doing, std::shared_ptr<job::Job> job);

    /// Calls back once, unless it is destroyed before; the callback may destroy it.
    void start(Done done);
    /// It ends soon, with Error{Cancelled}.
    void stop();

private:
    void run(Command command, task::ChildTask::Handlers handlers,
             std::function<void(int status, const std::deque<std::string> &complaints)> next);
    void read_settings();
    void read_lists();
    void fetch_parts();
    void take_fetched(const nlohmann::json &results);
    void add_next_source();
    void check_packages();
    Part &part(const std::string &name);
    void leave_out(const std::string &name, bool optional, const Error &error);

    template <typename Function>
    void attempt(Function function);
    void finish(Outcome<BuildPlan> result);

    EventLoop &loop_;
    std::filesystem::path worker_program_;
    std::filesystem::path directory_;
    catalog::Recipe recipe_;
    std::vector<std::string> extra_packages_;
    std::string doing_;
    std::shared_ptr<job::Job> job_;
    Done done_;

    struct FetchedSource {
        catalog::AptSource source;
        std::filesystem::path key;
    };
    BuildPlan plan_;
    std::string settings_;
    std::optional<debian::PrivateApt> apt_;
    debian::UnreachableArchive archive_;
    std::optional<Error> unreachable_;
    std::filesystem::path parts_directory_;
    std::vector<FetchedSource> waiting_; ///< whose lists are to be read, the next one last
    std::vector<FetchedSource> reached_;
    std::unique_ptr<task::ChildTask> child_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
