#pragma once

#include "daemon/vmm/launch.hpp"

namespace banger::vmm {

/// Firecracker, by a configuration file, with its API socket beside: serial console on standard
/// output, the channel over vsock, dialled by the guest. Sockets: api.sock, vsock.sock,
/// vsock.sock_1024.
Launch firecracker_launch(const Machine &machine);

} // namespace banger::vmm
