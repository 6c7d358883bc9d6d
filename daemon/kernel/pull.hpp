#pragma once

#include "daemon/debian/apt_failure.hpp"
#include "daemon/debian/private_apt.hpp"
#include "daemon/debian/sources.hpp"
#include "daemon/kernel/package.hpp"
#include "daemon/kernel/registry.hpp"
#include "daemon/task/worker_task.hpp"

namespace banger::kernel {

/// What can be pulled: a suite of Debian.
struct Origin {
    std::string_view name;  ///< "debian-bookworm"
    std::string_view suite; ///< "bookworm"
};
/// nullptr: none of that name. "debian" is the default one.
const Origin *find_origin(std::string_view name) noexcept;

/// One pull: package lists → which package → download → unpack → publish. Each step starts the next
/// when its child has ended; a failure anywhere removes the temporary directory and ends the job.
class Registry::Pull : public std::enable_shared_from_this<Registry::Pull> {
public:
    Pull(Registry &registry, const Origin &origin, bool anew, std::shared_ptr<job::Job> job);
    ~Pull();

    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }
    void start();

private:
    void read_lists();
    void find_package();
    void ask_package(const std::string &package, std::function<void(const Package &)> next);
    void download();
    void unpack(const std::filesystem::path &deb);
    void publish(const nlohmann::json &result);

    /// Runs a step that may throw, and ends the job where it does.
    template <typename Function>
    void attempt(Function function);
    void run(std::string_view doing, Command command, task::ChildTask::Handlers handlers,
             std::function<void()> next);
    void fail(const Error &error);
    void finish();

    Registry &registry_;
    const Origin &origin_;
    bool anew_;
    std::shared_ptr<job::Job> job_;
    std::filesystem::path temporary_;
    std::optional<debian::PrivateApt> apt_;
    Package package_;
    std::string output_;
    debian::UnreachableArchive archive_;
    std::optional<Error> unreachable_; ///< why nothing more is asked of the archive
    std::unique_ptr<task::ChildTask> child_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::kernel
