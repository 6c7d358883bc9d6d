#pragma once

#include "base/names.hpp"
#include "base/paths.hpp"
#include "daemon/supervisor/exit_record.hpp"

namespace banger::supervisor {

/// ExecStopPost= of the unit: takes away what a supervisor left that was killed (tap, sockets), and
/// records its end. Does nothing after one that ended by itself.
void clean_up_after(const Paths &paths, const VmName &name, const ServiceResult &result);

/// The tap and machine.json of a VM that has ended; machine.json stays if the tap could not be
/// released, so that the next one who comes here tries again. Logs what goes wrong.
void release_machine(const std::filesystem::path &runtime_directory) noexcept;

} // namespace banger::supervisor
