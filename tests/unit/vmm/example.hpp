#pragma once

#include "daemon/vmm/machine.hpp"

namespace banger::vmm {

inline Machine example_machine() {
    return {
        .name = "sandbox",
        .kind = Kind::Qemu,
        .accelerator = Accelerator::Tcg,
        .binary = "/usr/bin/qemu-system-x86_64",
        .vcpus = 2,
        .memory_mib = 1024,
        .kernel = "/state/kernels/k/vmlinux",
        .initrd = "/state/kernels/k/initrd",
        .extra_command_line = "",
        .disks = {{.id = "image", .path = "/state/images/i/rootfs.ext4", .read_only = true},
                  {.id = "overlay", .path = "/state/vms/sandbox/overlay.ext4", .read_only = false}},
        .nic = Nic{.tap = "bngr0-2", .mac = "06:00:ac:10:00:02"},
        .confined = true,
        .runtime_directory = "/run/user/1000/banger/vm/sandbox",
        .state_directory = "/state/vms/sandbox",
    };
}

inline Machine example_firecracker_machine() {
    Machine machine = example_machine();
    machine.kind = Kind::Firecracker;
    machine.accelerator = Accelerator::Kvm;
    machine.binary = "/opt/firecracker/firecracker";
    return machine;
}

} // namespace banger::vmm
