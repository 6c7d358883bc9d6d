#include "cli/verbs.hpp"
#include "cli/vm_actions.hpp"

namespace banger::cli {

void add_vm_start(CLI::App &vm, Context &context) {
    CLI::App *verb = vm.add_subcommand("start", "Start VMs");
    const auto names = add_vm_names(*verb);
    verb->callback([names, &context] {
        context.action = [names] { return act_on_vms(*names, {{"Start", "started", {}}}); };
    });
}

} // namespace banger::cli
