#pragma once

#include "daemon/vm/fleet.hpp"

namespace banger::vm {

/// Starts the unit, as part of the job, and ends the job when the guest's agent has answered, or
/// with the reason why not. Cancelling the job stops the unit.
void start_in(Services &services, Fleet &fleet, const VmName &name,
              const std::shared_ptr<job::Job> &job);

/// Stops the unit gracefully, or, with `force`, by SIGKILL, and ends the job. After it the VM is
/// stopped.
void stop_in(Services &services, Fleet &fleet, const VmName &name, bool force,
             const std::shared_ptr<job::Job> &job);

} // namespace banger::vm
