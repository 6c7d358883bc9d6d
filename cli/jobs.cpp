#include "cli/jobs.hpp"

#include "org.banger.Manager_proxy.hpp"

#include <map>

namespace banger::cli {
namespace {

using JobError = sdbus::Struct<std::string, std::string>;

Progress progress_of(const Properties &job) {
    return {property<std::string>(job, "Stage"), property<double>(job, "Progress"),
            property<std::uint64_t>(job, "BytesDone"), property<std::uint64_t>(job, "BytesTotal")};
}

} // namespace

class Jobs::Listener final : public sdbus::ProxyInterfaces<org::banger::Manager_proxy> {
public:
    explicit Listener(Client &client)
        : ProxyInterfaces(client.connection(), bus::ServiceName{names::service},
                          sdbus::ObjectPath{names::manager_path}) {
        remote([&] { registerProxy(); });
    }
    ~Listener() { unregisterProxy(); }
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    struct End {
        std::string subject;
        std::string result;
    };
    const End *end_of(const sdbus::ObjectPath &job) const {
        const auto found = ends_.find(job);
        return found == ends_.end() ? nullptr : &found->second;
    }

private:
    void onJobNew(const uint32_t & /*id*/, const sdbus::ObjectPath & /*job*/) override {}
    void onJobRemoved(const uint32_t & /*id*/, const sdbus::ObjectPath &job,
                      const std::string &subject, const std::string &result) override {
        ends_.insert_or_assign(job, End{subject, result});
    }

    std::map<sdbus::ObjectPath, End> ends_;
};

Jobs::Jobs(Client &client)
    : client_(client), daemon_(client), listener_(std::make_unique<Listener>(client)) {}
Jobs::~Jobs() = default;

std::string Jobs::finish(const sdbus::ObjectPath &job, const std::string &title,
                         OnInterrupt on_interrupt) {
    std::optional<PropertyWatch> watch;
    try {
        watch.emplace(client_, job, names::job);
    } catch (const Error &) {
        // Gone already; its end is on the way, if it has not been told yet.
    }
    ProgressView view(title);
    try {
        client_.wait_until([&] {
            if (watch) {
                view.show(progress_of(watch->values()));
            }
            return over(job);
        });
    } catch (const Interrupted &) {
        if (on_interrupt == OnInterrupt::Cancel) {
            view.show({"cancelling", watch ? property<double>(watch->values(), "Progress") : 0});
            client_.clear_interrupt();
            client_.call<>(job, names::job, "Cancel");
            client_.wait_until([&] { return over(job); });
        }
        throw;
    }
    view.clear();
    JobOutcome outcome = ended(job);
    if (outcome.error) {
        throw *outcome.error;
    }
    return outcome.subject;
}

JobOutcome Jobs::outcome(const sdbus::ObjectPath &job) {
    client_.wait_until([&] { return over(job); });
    return ended(job);
}

bool Jobs::over(const sdbus::ObjectPath &job) const {
    if (listener_->end_of(job) != nullptr) {
        return true;
    }
    if (daemon_.losses() > 0) {
        fail(ErrorCode::Internal, "bangerd ended before the operation did; what it left is tidied "
                                  "at its next start. See journalctl --user -u bangerd");
    }
    return false;
}

JobOutcome Jobs::ended(const sdbus::ObjectPath &job) {
    const Listener::End &end = *listener_->end_of(job);
    if (end.result == "done") {
        return {end.subject, std::nullopt};
    }
    if (end.result == "cancelled") {
        return {end.subject, Error(ErrorCode::Cancelled, "it was cancelled")};
    }
    std::string name;
    std::string message;
    try {
        const auto error = property<JobError>(client_.all_properties(job, names::job), "Error");
        name = std::get<0>(error);
        message = std::get<1>(error);
    } catch (const Error &) {
        // Forgotten 30 s after its end: only the result is known.
    }
    if (message.empty()) {
        message = fmt::format("it ended with the result '{}'; see journalctl --user -u bangerd",
                              end.result);
    }
    return {end.subject, bus::from_bus_error(name, message)};
}

} // namespace banger::cli
