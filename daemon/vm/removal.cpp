#include "daemon/vm/removal.hpp"

#include "base/log.hpp"
#include "daemon/vm/address.hpp"
#include "daemon/vm/creation.hpp"

#include <csignal>

namespace banger::vm {
namespace {

/// One removal. Each step goes on whatever the one before it met: what can be removed is removed,
/// and only a unit that does not come down stops it.
class Removal : public std::enable_shared_from_this<Removal> {
public:
    Removal(Services &services, Fleet &fleet, const VmName &name, std::shared_ptr<job::Job> job)
        : services_(services), fleet_(fleet), name_(name), job_(std::move(job)) {}

    void begin() {
        Vm &vm = fleet_.get(name_);
        store::VmRecord record = vm.record();
        record.phase = store::Phase::Deleting;
        vm.save(std::move(record));
        vm.occupation = Occupation::Deleting;
        host_number_ = vm.record().host_number;
        job_->stage("stopping", 0.1);
        // Asked rather than known: files are removed only from under a unit that is down.
        services_.units.status(name_, [self = shared_from_this()](Outcome<UnitStatus> status) {
            if (!status ||
                (status.value().active != "inactive" && status.value().active != "failed")) {
                self->kill();
            } else {
                self->reset_failed();
            }
        });
    }

private:
    void kill() {
        services_.units.kill(name_, SIGKILL,
                             [self = shared_from_this()](const Outcome<void> &) { self->stop(); });
    }

    void stop() {
        services_.units.stop(name_, [self = shared_from_this()](const Outcome<void> &stopped) {
            if (!stopped) {
                self->give_up(stopped.error());
                return;
            }
            self->reset_failed();
        });
    }

    void reset_failed() {
        services_.units.reset_failed(
            name_, [self = shared_from_this()](const Outcome<void> &) { self->forget_unit(); });
    }

    void forget_unit() {
        services_.units.forget(name_, [self = shared_from_this()](const Outcome<void> &outcome) {
            self->warn("forget its unit's settings", outcome);
            self->release_tap();
        });
    }

    void release_tap() {
        job_->stage("removing", 0.6);
        const std::string tap =
            fleet_.network() ? guest_tap(*fleet_.network(), host_number_) : std::string{};
        if (tap.empty()) {
            remove_files();
            return;
        }
        services_.network.release_tap(tap,
                                      [self = shared_from_this()](const Outcome<void> &outcome) {
                                          self->warn("release its tap", outcome);
                                          self->remove_files();
                                      });
    }

    void remove_files() {
        try {
            discard(services_, name_);
        } catch (const std::exception &e) {
            give_up(Error(ErrorCode::Internal, fmt::format("cannot remove the files of '{}': {}",
                                                           name_.str(), e.what())));
            return;
        }
        fleet_.remove(name_);
        fleet_.refresh_ssh_files();
        services_.artifacts.collect_garbage();
        job_->done();
    }

    void give_up(const Error &error) {
        // The record stays in Deleting; another delete, or the next start of bangerd, goes on.
        if (Vm *vm = fleet_.find(name_)) {
            vm->occupation = Occupation::None;
            vm->set_last_error(error);
        }
        job_->failed(error);
    }

    void warn(std::string_view what, const Outcome<void> &outcome) const {
        if (!outcome) {
            log::warning(fmt::format("removing the VM '{}': could not {}: {}, ignoring",
                                     name_.str(), what, outcome.error().what()),
                         {{"BANGER_VM", name_.str()}});
        }
    }

    Services &services_;
    Fleet &fleet_;
    VmName name_;
    std::shared_ptr<job::Job> job_;
    std::uint8_t host_number_ = 0;
};

} // namespace

void remove_in(Services &services, Fleet &fleet, const VmName &name,
               const std::shared_ptr<job::Job> &job) {
    std::make_shared<Removal>(services, fleet, name, job)->begin();
}

} // namespace banger::vm
