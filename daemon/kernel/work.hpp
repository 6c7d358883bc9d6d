#pragma once

#include "base/temporary_directory.hpp"
#include "daemon/kernel/registry.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

namespace banger::kernel {

/// What the registry does for a job: steps, each of which starts the next when its child has ended.
/// A failure anywhere removes the temporary directory and ends the job. The registry keeps it until
/// then.
class Registry::Work : public std::enable_shared_from_this<Registry::Work> {
public:
    virtual ~Work();
    Work(const Work &) = delete;
    Work &operator=(const Work &) = delete;

    /// Two of the same key do not run at once.
    const std::string &key() const noexcept { return key_; }
    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }
    /// What goes wrong is the job's.
    void start();

protected:
    Work(Registry &registry, std::string key, std::shared_ptr<job::Job> job);

    virtual void first_step() = 0;

    Registry &registry() noexcept { return registry_; }
    const std::filesystem::path &temporary() const { return temporary_->path(); }

    /// Runs a step that may throw, and ends the job where it does.
    void attempt(const std::function<void()> &step);
    /// Throws Error{Cancelled} when somebody has asked for the end.
    void go_on() const;
    /// Runs banger-image-worker; its bytes are the job's progress from `from` to `to`.
    void run_worker(std::vector<std::string> arguments, double from, double to,
                    std::function<void(const nlohmann::json &result)> next);
    /// The end of it all.
    void conclude(const std::optional<Error> &error);

private:
    Registry &registry_;
    std::string key_;
    std::shared_ptr<job::Job> job_;
    std::optional<TemporaryDirectory> temporary_;
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::kernel
