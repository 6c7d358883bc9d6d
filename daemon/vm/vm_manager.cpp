#include "daemon/vm/vm_manager.hpp"

#include "base/log.hpp"
#include "daemon/vm/address.hpp"
#include "daemon/vm/exec_defaults.hpp"
#include "daemon/vm/power.hpp"
#include "daemon/vm/preparation.hpp"
#include "daemon/vm/removal.hpp"

#include <set>

namespace banger::vm {
namespace {

void refuse_while(job::JobTable &jobs, const VmName &name,
                  std::initializer_list<std::string_view> kinds) {
    if (const auto job = jobs.running(kinds, name.str())) {
        fail(ErrorCode::Busy, "the VM '{}' is busy with another job ({} {}): wait for its end",
             name.str(), job->snapshot().kind, job->snapshot().id);
    }
}

} // namespace

VmManager::VmManager(Services services) : services_(std::move(services)), fleet_(services_) {
    services_.units.observe([this](const VmName &name, const UnitStatus &status) {
        if (Vm *vm = fleet_.find(name)) {
            vm->set_unit(status);
        }
    });
    for (auto &record : services_.store.vms()) {
        if (record.phase == store::Phase::Creating) {
            log::notice(fmt::format("the creation of '{}' was interrupted: removing what it left",
                                    record.name.str()));
            discard(services_, record.name);
        } else {
            fleet_.add(std::move(record));
        }
    }
}

void VmManager::reconcile(std::function<void()> done) {
    services_.units.list(
        [this, done = std::move(done)](Outcome<std::map<VmName, UnitStatus>> outcome) {
            if (outcome) {
                adopt_units(outcome.value());
            } else {
                log::error(fmt::format("cannot ask systemd for the units of the VMs: {}",
                                       outcome.error().what()));
            }
            done();
            for (Vm *vm : fleet_.all()) {
                if (vm->record().phase == store::Phase::Deleting) {
                    remove_in(services_, fleet_, vm->name(),
                              services_.jobs.add("delete", vm->name().str()));
                }
            }
            release_stray_taps();
        });
}

void VmManager::adopt_units(const std::map<VmName, UnitStatus> &units) {
    for (const auto &[name, status] : units) {
        Vm *vm = fleet_.find(name);
        if (vm == nullptr) {
            if (status.active != "inactive" && status.active != "failed") {
                log::warning(fmt::format("{} runs, but there is no record of it", name.unit()));
            }
            continue;
        }
        vm->set_unit(status);
        if (vm->state() != State::Running && vm->state() != State::Starting) {
            continue;
        }
        try {
            vm->connect();
        } catch (const Error &e) {
            // One that is still about to call Prepare is connected to then.
            log::info(fmt::format("no supervisor of '{}' yet: {}", name.str(), e.what()));
        }
    }
}

void VmManager::release_stray_taps() {
    if (!fleet_.network()) {
        return;
    }
    services_.network.describe([this](Outcome<net::NetworkState> outcome) {
        if (!outcome) {
            log::info(
                fmt::format("the network helper does not answer: {}", outcome.error().what()));
            return;
        }
        std::set<std::string> wanted;
        for (const Vm *vm : fleet_.all()) {
            if (vm->active()) {
                wanted.insert(guest_tap(*fleet_.network(), vm->record().host_number));
            }
        }
        for (const auto &tap : outcome.value().taps) {
            if (!wanted.contains(tap.name)) {
                log::notice(fmt::format("releasing the tap {}: no VM uses it", tap.name));
                services_.network.release_tap(tap.name, [](const Outcome<void> &) {});
            }
        }
    });
}

std::vector<View> VmManager::list() {
    std::vector<View> views;
    for (const Vm *vm : fleet_.all()) {
        views.push_back(fleet_.view(*vm));
    }
    return views;
}

View VmManager::get(const VmName &name) {
    return fleet_.view(fleet_.get(name));
}

std::shared_ptr<job::Job> VmManager::create(const CreateRequest &request) {
    return vm::create(services_, fleet_, request,
                      [this](const VmName &name, const std::shared_ptr<job::Job> &job) {
                          start_in(services_, fleet_, name, job);
                      });
}

std::shared_ptr<job::Job> VmManager::start(const VmName &name) {
    const Vm &vm = fleet_.get(name);
    if (auto job = services_.jobs.running({"start"}, name.str())) {
        return job;
    }
    refuse_while(services_.jobs, name, {"create", "stop", "delete"});
    if (vm.state() != State::Running && vm.state() != State::Starting) {
        services_.choose_vmm(services_.config()); // fails here rather than in the unit's log
    }
    auto job = services_.jobs.add("start", name.str());
    start_in(services_, fleet_, name, job);
    return job;
}

std::shared_ptr<job::Job> VmManager::stop(const VmName &name, bool force) {
    const Vm &vm = fleet_.get(name);
    if (!force) {
        if (auto job = services_.jobs.running({"stop"}, name.str())) {
            return job;
        }
    }
    refuse_while(services_.jobs, name, {"delete"});
    auto job = services_.jobs.add("stop", name.str());
    if (!vm.active() && vm.state() != State::Failed) {
        job->done();
    } else {
        stop_in(services_, fleet_, name, force, job);
    }
    return job;
}

std::shared_ptr<job::Job> VmManager::remove(const VmName &name) {
    fleet_.get(name);
    if (auto job = services_.jobs.running({"delete"}, name.str())) {
        return job;
    }
    auto job = services_.jobs.add("delete", name.str());
    remove_in(services_, fleet_, name, job);
    return job;
}

void VmManager::exec(const VmName &name, ExecRequest request, Callback<UniqueFd> done) {
    const std::string &digest = fleet_.get(name).record().image_digest;
    if (const auto image = services_.artifacts.find_image_digest(digest)) {
        apply_image_defaults(request, image->run);
    }
    // Shared: std::function wants a copyable callback, and the descriptors are not.
    const auto shared = std::make_shared<ExecRequest>(std::move(request));
    fleet_.get(name).when_agent_ready(
        [shared, done = std::move(done)](Outcome<SupervisorLink *> link) {
            if (link) {
                link.value()->exec(std::move(*shared), done);
            } else {
                done(link.error());
            }
        });
}

void VmManager::open_stream(const VmName &name, const std::string &target,
                            Callback<UniqueFd> done) {
    fleet_.get(name).when_agent_ready(
        [target, done = std::move(done)](Outcome<SupervisorLink *> link) {
            if (link) {
                link.value()->open(target, done);
            } else {
                done(link.error());
            }
        });
}

void VmManager::put_files(const VmName &name, const std::string &directory, UniqueFd archive,
                          Callback<PutFilesResult> done) {
    const auto shared = std::make_shared<UniqueFd>(std::move(archive));
    fleet_.get(name).when_agent_ready(
        [directory, shared, done = std::move(done)](Outcome<SupervisorLink *> link) {
            if (link) {
                link.value()->put_files(directory, std::move(*shared), done);
            } else {
                done(link.error());
            }
        });
}

void VmManager::prepare(const VmName &name, Callback<std::filesystem::path> done) {
    fleet_.get(name);
    vm::prepare(services_, fleet_, name, std::move(done));
}

std::vector<std::string> VmManager::users_of_image(const std::string &digest) {
    // From the store: a VM that is being created pins its image, too.
    std::vector<std::string> names;
    for (const auto &record : services_.store.vms()) {
        if (record.image_digest == digest) {
            names.push_back(record.name.str());
        }
    }
    return names;
}

std::vector<std::string> VmManager::users_of_kernel(const std::string &kernel) {
    std::vector<std::string> names;
    for (const auto &record : services_.store.vms()) {
        if (record.kernel == kernel) {
            names.push_back(record.name.str());
        }
    }
    return names;
}

bool VmManager::idle() {
    for (const Vm *vm : fleet_.all()) {
        if (vm->active()) {
            return false;
        }
    }
    return true;
}

} // namespace banger::vm
