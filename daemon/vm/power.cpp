#include "daemon/vm/power.hpp"

#include <csignal>

namespace banger::vm {
namespace {

/// Takes over what systemd says about the unit now, then goes on: the end of systemd's job and the
/// unit's last PropertiesChanged come in no fixed order.
void refresh(Services &services, Fleet &fleet, const VmName &name, std::function<void()> next) {
    services.units.status(name, [&fleet, name, next = std::move(next)](Outcome<UnitStatus> status) {
        if (Vm *vm = fleet.find(name); vm != nullptr && status) {
            vm->set_unit(status.value());
        }
        next();
    });
}

void fail_start(Services &services, Fleet &fleet, const VmName &name,
                const std::shared_ptr<job::Job> &job, const Error &of_unit) {
    refresh(services, fleet, name, [&fleet, name, job, of_unit] {
        const Vm *vm = fleet.find(name);
        if (job->cancel_requested()) {
            job->failed(Error(ErrorCode::Cancelled, "the start was cancelled"));
        } else if (vm != nullptr && vm->record().last_error) {
            job->failed(vm->record().last_error->with_context(
                fmt::format("cannot start the VM '{}'", name.str())));
        } else {
            job->failed(of_unit);
        }
    });
}

void force_down(Services &services, const VmName &name, const UnitManager::Callback<void> &done) {
    services.units.kill(name, SIGKILL, [&services, name, done](const Outcome<void> &) {
        // Whether or not there was anything to kill: the stop says when the unit is down.
        services.units.stop(name, [&services, name, done](const Outcome<void> &stopped) {
            if (!stopped) {
                done(stopped);
                return;
            }
            services.units.reset_failed(name, done);
        });
    });
}

} // namespace

void start_in(Services &services, Fleet &fleet, const VmName &name,
              const std::shared_ptr<job::Job> &job) {
    Vm &vm = fleet.get(name);
    job->stage("starting the unit", 0.05);
    vm.show_progress_in(job);
    job->on_cancel([&services, name] { services.units.stop(name, [](const Outcome<void> &) {}); });
    services.units.start(name, [&services, &fleet, name, job](const Outcome<void> &started) {
        job->on_cancel({});
        if (started) {
            refresh(services, fleet, name, [job] { job->done(); });
        } else {
            fail_start(services, fleet, name, job, started.error());
        }
    });
}

void stop_in(Services &services, Fleet &fleet, const VmName &name, bool force,
             const std::shared_ptr<job::Job> &job) {
    job->stage(force ? "killing the guest" : "shutting the guest down", 0.1);
    const auto finish = [&services, &fleet, name, job, force](const Outcome<void> &down) {
        if (!down) {
            job->failed(down.error());
            return;
        }
        refresh(services, fleet, name, [&fleet, name, job, force] {
            if (Vm *vm = fleet.find(name); vm != nullptr && force) {
                vm->set_last_error(std::nullopt); // it was asked for
            }
            job->done();
        });
    };
    if (force) {
        force_down(services, name, finish);
    } else {
        services.units.stop(name, finish);
    }
}

} // namespace banger::vm
