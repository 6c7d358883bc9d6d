#pragma once

#include "daemon/vm/fleet.hpp"

#include <filesystem>
#include <functional>

namespace banger::vm {

/// Makes ready what a start of the VM needs: disks, initramfs, tap, config disk, machine.json,
/// limits; then connects to the supervisor. Calls back once with the runtime directory. On failure
/// the tap is released and the error recorded as the VM's last one.
void prepare(Services &services, Fleet &fleet, const VmName &name,
             std::function<void(Outcome<std::filesystem::path>)> done);

} // namespace banger::vm
