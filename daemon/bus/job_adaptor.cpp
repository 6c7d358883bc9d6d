#include "daemon/bus/job_adaptor.hpp"

#include "daemon/bus/object_paths.hpp"
#include "dbus/guard.hpp"

#include <chrono>

namespace banger::bus {
namespace {

constexpr const char *interface = "org.banger.Job";
constexpr std::chrono::milliseconds progress_interval{100};

} // namespace

JobAdaptor::JobAdaptor(EventLoop &loop, sdbus::IConnection &bus, std::shared_ptr<job::Job> job)
    : AdaptorInterfaces(bus, job_path(job->snapshot().id)), loop_(loop), job_(std::move(job)),
      told_(job_->snapshot()) {
    registerAdaptor();
    emitInterfacesAddedSignal();
}

JobAdaptor::~JobAdaptor() {
    emitInterfacesRemovedSignal();
    unregisterAdaptor();
}

void JobAdaptor::Cancel() {
    guard([&] { job_->cancel(); });
}

sdbus::Struct<std::string, std::string> JobAdaptor::Error() {
    const auto &error = now().error;
    return error ? sdbus::make_struct(error_name(error->code()), std::string{error->what()})
                 : sdbus::make_struct(std::string{}, std::string{});
}

std::vector<sdbus::Struct<std::string, std::uint64_t>> JobAdaptor::StageDurations() {
    std::vector<sdbus::Struct<std::string, std::uint64_t>> durations;
    for (const auto &[stage, duration] : now().stage_durations) {
        durations.push_back(
            sdbus::make_struct(stage, static_cast<std::uint64_t>(duration.count())));
    }
    return durations;
}

void JobAdaptor::on_change() {
    if (now().stage != told_.stage || now().state != told_.state) {
        pending_.reset();
        emit();
    } else if (!pending_) {
        pending_ = loop_.add_timer(progress_interval, [this] {
            pending_.reset();
            emit();
        });
    }
}

void JobAdaptor::emit() {
    const job::Snapshot old = std::exchange(told_, now());
    std::vector<PropertyName> changed;
    const auto compare = [&](const char *name, bool differs) {
        if (differs) {
            changed.emplace_back(name);
        }
    };
    compare("Stage", old.stage != told_.stage);
    compare("Progress", old.progress < told_.progress);
    compare("BytesDone", old.bytes_done != told_.bytes_done);
    compare("BytesTotal", old.bytes_total != told_.bytes_total);
    compare("State", old.state != told_.state);
    compare("Error", old.error.has_value() != told_.error.has_value());
    compare("StageDurations", old.stage_durations.size() != told_.stage_durations.size());
    if (!changed.empty()) {
        emitPropertiesChangedSignal(InterfaceName{interface}, changed);
    }
}

} // namespace banger::bus
