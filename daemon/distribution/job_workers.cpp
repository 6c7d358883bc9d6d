#include "daemon/distribution/job_workers.hpp"

#include <nlohmann/json.hpp>

namespace banger::distribution {
namespace {

void end(job::Job &job, const std::optional<Error> &error) {
    if (error) {
        job.failed(*error);
    } else {
        job.done();
    }
}

} // namespace

void JobWorkers::run(const std::shared_ptr<job::Job> &job, std::vector<std::string> arguments,
                     Ended ended) {
    const std::uint64_t id = ++last_id_;
    if (!ended) {
        ended = [job](const std::optional<Error> &error) { end(*job, error); };
    }
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [job](std::uint64_t done, std::uint64_t total) {
        job->bytes(done, total);
        if (total > 0) {
            job->progress(static_cast<double>(done) / static_cast<double>(total));
        }
    };
    handlers.ended = [this, id, ended](const Outcome<nlohmann::json> &result) {
        finish(id, ended, result);
    };
    try {
        auto worker = std::make_unique<task::WorkerTask>(loop_, worker_, std::move(arguments),
                                                         std::nullopt, std::move(handlers));
        job->on_cancel([raw = worker.get()] { raw->stop(); });
        runs_.emplace(id, Run{job, std::move(worker)});
    } catch (const Error &error) {
        ended(error);
    }
}

void JobWorkers::finish(std::uint64_t id, const Ended &ended,
                        const Outcome<nlohmann::json> &result) {
    const auto run = runs_.extract(id);
    const auto &job = run.mapped().job;
    job->on_cancel({});
    if (job->cancel_requested()) {
        ended(Error{ErrorCode::Cancelled, "cancelled"});
    } else if (result) {
        ended(std::nullopt);
    } else {
        ended(result.error());
    }
}

} // namespace banger::distribution
