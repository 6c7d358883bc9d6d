#pragma once

#include "cli/client.hpp"
#include "cli/doctor_row.hpp"

namespace banger::cli {

/// What the buses tell: session bus, user manager, bangerd and, where it runs, what it says of
/// itself, of the VMM and of the network; where it does not, the helper's own words. Starts no
/// bangerd.
DoctorRows examine_services();

/// What bangerd says of itself, of the VMM and of the network; starts it.
DoctorRows diagnosis(Client &client);

} // namespace banger::cli
