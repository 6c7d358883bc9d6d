#pragma once

#include "cli/doctor_row.hpp"

namespace banger::cli {

/// What can be told without any bus: architecture, KVM, configuration, programs, disk space,
/// lingering, the ssh shortcut. Changes nothing.
DoctorRows examine_host();

} // namespace banger::cli
