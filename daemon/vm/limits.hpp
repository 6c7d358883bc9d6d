#pragma once

#include "daemon/vm/unit_manager.hpp"
#include "daemon/vmm/machine.hpp"

namespace banger::vm {

/// What the unit of a VM may use: the guest's memory and vCPUs, and what VMM and supervisor need
/// beside them.
UnitLimits unit_limits(std::uint32_t vcpus, std::uint64_t memory_mib, vmm::Kind kind,
                       vmm::Accelerator accelerator);

} // namespace banger::vm
