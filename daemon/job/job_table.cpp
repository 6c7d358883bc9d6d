#include "daemon/job/job_table.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace banger::job {

JobTable::JobTable(EventLoop &loop, std::chrono::milliseconds retention)
    : loop_(loop), retention_(retention) {}

std::shared_ptr<Job> JobTable::add(std::string kind, std::string subject) {
    const std::uint32_t id = ++last_id_;
    auto job = std::make_shared<Job>(id, std::move(kind), std::move(subject));
    entries_[id].job = job;
    job->observe([this](const Snapshot &snapshot) { on_change(snapshot); });
    if (observer_.added) {
        observer_.added(job);
    }
    return job;
}

std::shared_ptr<Job> JobTable::find(std::uint32_t id) const {
    const auto found = entries_.find(id);
    if (found == entries_.end()) {
        fail(ErrorCode::NotFound, "there is no job {}: it ended some time ago, or never was", id);
    }
    return found->second.job;
}

std::shared_ptr<Job> JobTable::running(std::initializer_list<std::string_view> kinds,
                                       std::string_view subject) const {
    for (const auto &[id, entry] : entries_) {
        const Snapshot &job = entry.job->snapshot();
        if (entry.job->running() && job.subject == subject &&
            std::find(kinds.begin(), kinds.end(), job.kind) != kinds.end()) {
            return entry.job;
        }
    }
    return nullptr;
}

std::vector<Snapshot> JobTable::list() const {
    std::vector<Snapshot> all;
    for (const auto &[id, entry] : entries_) {
        all.push_back(entry.job->snapshot());
    }
    return all;
}

std::size_t JobTable::running_count() const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [](const auto &item) { return item.second.job->running(); }));
}

void JobTable::on_change(const Snapshot &snapshot) {
    if (observer_.changed) {
        observer_.changed(snapshot);
    }
    if (snapshot.state == State::Running) {
        return;
    }
    log::info(
        fmt::format("job {}: {} {}: {}{}{}", snapshot.id, snapshot.kind, snapshot.subject,
                    to_string(snapshot.state), snapshot.error ? ": " : "",
                    snapshot.error ? snapshot.error->what() : ""),
        {{"BANGER_JOB", fmt::format("{}", snapshot.id)}, {"BANGER_SUBJECT", snapshot.subject}});
    const std::uint32_t id = snapshot.id;
    entries_[id].expiry = loop_.add_timer(retention_, [this, id] {
        // Moved out: the source is the one that is calling.
        const Entry entry = std::move(entries_[id]);
        entries_.erase(id);
        if (observer_.forgotten) {
            observer_.forgotten(id);
        }
    });
    if (observer_.ended) {
        observer_.ended(snapshot);
    }
}

} // namespace banger::job
