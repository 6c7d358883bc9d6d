#pragma once

#include "base/event_loop.hpp"
#include "daemon/job/job.hpp"
#include "dbus/compat.hpp"

#include <org.banger.Job_adaptor.hpp>

#include <memory>

namespace banger::bus {

/// One job on the bus, as long as it lives.
class JobAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::Job_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
public:
    JobAdaptor(EventLoop &loop, sdbus::IConnection &bus, std::shared_ptr<job::Job> job);
    ~JobAdaptor();
    JobAdaptor(const JobAdaptor &) = delete;
    JobAdaptor &operator=(const JobAdaptor &) = delete;

    /// Tells what has changed: stage and state at once, mere progress some times a second.
    void on_change();

private:
    void Cancel() override;
    std::uint32_t Id() override { return now().id; }
    std::string Kind() override { return now().kind; }
    std::string Subject() override { return now().subject; }
    std::string Stage() override { return now().stage; }
    double Progress() override { return now().progress; }
    std::uint64_t BytesDone() override { return now().bytes_done; }
    std::uint64_t BytesTotal() override { return now().bytes_total; }
    std::string State() override { return std::string(job::to_string(now().state)); }
    sdbus::Struct<std::string, std::string> Error() override;
    std::vector<sdbus::Struct<std::string, std::uint64_t>> StageDurations() override;

    const job::Snapshot &now() const { return job_->snapshot(); }
    void emit();

    EventLoop &loop_;
    std::shared_ptr<job::Job> job_;
    job::Snapshot told_;
    EventSource pending_;
};

} // namespace banger::bus
