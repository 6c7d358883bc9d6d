#pragma once

#include "daemon/vmm/launch.hpp"

namespace banger::vmm {

/// QEMU's `microvm` machine: virtio-mmio devices alone, serial console on standard output, the
/// channel as a virtio-serial port. Sockets: channel.sock, qmp.sock.
Launch qemu_launch(const Machine &machine, std::uint32_t tsc_khz);

/// Name of the virtio-serial port that carries the channel, as the guest finds it.
constexpr const char *channel_port_name = "org.banger.channel";

} // namespace banger::vmm
