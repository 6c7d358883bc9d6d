#pragma once

#include "cli/client.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

namespace banger::cli {

/// The operands of a verb that takes several VMs.
struct VmNames {
    std::vector<std::string> names;
    bool json = false;
};

/// Adds "VM…" and --json.
std::shared_ptr<VmNames> add_vm_names(CLI::App &verb);

/// One thing to do to a VM: a method of org.banger.VM that returns a job.
struct VmAction {
    const char *method;
    const char *done; ///< "stopped"
    Properties options;
};

/// Does the actions, one after the other for each VM, to all VMs at once. Names are resolved from
/// one listing, duplicates dropped; one line each in the order given, and a bad name or a failure
/// stops no other. The exit status says whether one failed.
int act_on_vms(const VmNames &names, const std::vector<VmAction> &actions);

} // namespace banger::cli
