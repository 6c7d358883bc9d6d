#pragma once

#include "base/event_loop.hpp"
#include "daemon/job/job.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace banger::job {

/// The jobs of the daemon: it gives the ids, tells when a job begins and ends, and keeps an ended
/// one readable for a while, so that a late client can still fetch its result.
class JobTable {
public:
    struct Observer {
        std::function<void(const std::shared_ptr<Job> &)> added;
        std::function<void(const Snapshot &)> changed; ///< also once at the end
        std::function<void(const Snapshot &)> ended;
        std::function<void(std::uint32_t id)> forgotten;
    };

    explicit JobTable(EventLoop &loop,
                      std::chrono::milliseconds retention = std::chrono::seconds{30});
    JobTable(const JobTable &) = delete;
    JobTable &operator=(const JobTable &) = delete;

    /// One observer: the bus.
    void observe(Observer observer) { observer_ = std::move(observer); }

    std::shared_ptr<Job> add(std::string kind, std::string subject);
    /// Throws Error{NotFound}.
    std::shared_ptr<Job> find(std::uint32_t id) const;
    /// The job that runs on the subject, of any of the kinds; nullptr when there is none.
    std::shared_ptr<Job> running(std::initializer_list<std::string_view> kinds,
                                 std::string_view subject) const;
    std::vector<Snapshot> list() const;
    std::size_t running_count() const;

private:
    struct Entry {
        std::shared_ptr<Job> job;
        EventSource expiry;
    };
    void on_change(const Snapshot &snapshot);

    EventLoop &loop_;
    std::chrono::milliseconds retention_;
    Observer observer_;
    std::uint32_t last_id_ = 0;
    std::map<std::uint32_t, Entry> entries_;
};

} // namespace banger::job
