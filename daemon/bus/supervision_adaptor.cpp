#include "daemon/bus/supervision_adaptor.hpp"

#include "daemon/bus/object_paths.hpp"
#include "dbus/guard.hpp"

namespace banger::bus {
namespace {

using PrepareReply = Reply<std::string>;

/// Runs `step`; what it throws is the answer.
template <typename Step>
void answering(const PrepareReply &reply, Step step) {
    try {
        step();
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void prepare(vm::VmManager &vms, const VmName &name, const PrepareReply &reply) {
    vms.prepare(name, [reply](Outcome<std::filesystem::path> outcome) {
        if (outcome) {
            reply(outcome.value().string());
        } else {
            reply.fail(outcome.error());
        }
    });
}

} // namespace

SupervisionAdaptor::SupervisionAdaptor(sdbus::IConnection &bus, DomainAccess domain)
    : AdaptorInterfaces(bus, sdbus::ObjectPath{manager_path}), domain_(std::move(domain)),
      bus_daemon_(bus) {
    registerAdaptor();
}

SupervisionAdaptor::~SupervisionAdaptor() {
    unregisterAdaptor();
}

void SupervisionAdaptor::Prepare(sdbus::Result<std::string> &&result, std::string name) {
    const PrepareReply reply(std::move(result));
    answering(reply, [&] {
        vm::VmManager &vms = domain_().vms;
        const VmName vm(name);
        vms.get(vm); // NotFound comes before any question
        bus_daemon_.process_of(sender_of(getObject()), [&vms, vm, reply](Outcome<pid_t> sender) {
            answering(reply, [&] {
                const pid_t pid = sender.value();
                vms.services().units.status(
                    vm, [&vms, vm, reply, pid](Outcome<vm::UnitStatus> status) {
                        answering(reply, [&] {
                            if (status.value().main_pid != pid) {
                                fail(ErrorCode::NotAuthorized,
                                     "only the main process of {} may ask for this: start the VM "
                                     "with 'banger vm start {}'",
                                     vm.unit(), vm.str());
                            }
                            prepare(vms, vm, reply);
                        });
                    });
            });
        });
    });
}

} // namespace banger::bus
