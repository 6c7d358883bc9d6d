#include "cli/verbs.hpp"
#include "cli/vm_actions.hpp"

namespace banger::cli {

void add_vm_kill(CLI::App &vm, Context &context) {
    CLI::App *verb =
        vm.add_subcommand("kill", "Stop VMs at once, also hung ones; like pulling the plug");
    const auto names = add_vm_names(*verb);
    verb->callback([names, &context] {
        context.action = [names] {
            return act_on_vms(*names, {{"Stop", "killed", {{"force", sdbus::Variant{true}}}}});
        };
    });
}

} // namespace banger::cli
