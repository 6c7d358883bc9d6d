#pragma once

#include "daemon/vm/fleet.hpp"

namespace banger::vm {

/// Takes the VM away, as a job: unit down, drop-ins and enable links, tap, disks, ssh entries,
/// record. A VM whose removal was interrupted is marked as such and removed at the next start of
/// bangerd.
void remove_in(Services &services, Fleet &fleet, const VmName &name,
               const std::shared_ptr<job::Job> &job);

} // namespace banger::vm
