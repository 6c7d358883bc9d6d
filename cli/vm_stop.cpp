#include "cli/verbs.hpp"
#include "cli/vm_actions.hpp"

namespace banger::cli {

void add_vm_stop(CLI::App &vm, Context &context) {
    CLI::App *verb = vm.add_subcommand("stop", "Shut VMs down; nothing they wrote is lost");
    const auto names = add_vm_names(*verb);
    const auto force = std::make_shared<bool>(false);
    verb->add_flag("--force", *force, "Kill them, as `banger vm kill` does");
    verb->callback([names, force, &context] {
        context.action = [names, force] {
            Properties options;
            if (*force) {
                options.emplace("force", sdbus::Variant{true});
            }
            return act_on_vms(*names, {{"Stop", "stopped", options}});
        };
    });
}

} // namespace banger::cli
