#pragma once

#include "cli/client.hpp"
#include "cli/vm_info.hpp"

#include <chrono>

namespace banger::cli {

/// How far a VM's boot must have come.
enum class Readiness {
    Agent,   ///< programs can be run
    Session, ///< a login is possible, or the boot is over without there being any
    Boot,    ///< the guest's init is through: its services are up
};

/// Waits until the VM is that far, and shows what its init waits for when it lasts. Each step of
/// the boot (agent, login, end) may take `timeout`: a slow host is slow at each. Throws
/// Error{GuestTimeout} when one takes longer, Error{VmmFailed} when the VM has ended instead, or
/// Interrupted.
VmInfo wait_until_ready(Client &client, const sdbus::ObjectPath &vm, Readiness readiness,
                        std::chrono::seconds timeout);

} // namespace banger::cli
