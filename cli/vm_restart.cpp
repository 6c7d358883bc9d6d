#include "cli/verbs.hpp"
#include "cli/vm_actions.hpp"

namespace banger::cli {

void add_vm_restart(CLI::App &vm, Context &context) {
    CLI::App *verb = vm.add_subcommand("restart", "Stop VMs and start them again");
    const auto names = add_vm_names(*verb);
    verb->callback([names, &context] {
        context.action = [names] {
            return act_on_vms(*names, {{"Stop", "stopped", {}}, {"Start", "restarted", {}}});
        };
    });
}

} // namespace banger::cli
