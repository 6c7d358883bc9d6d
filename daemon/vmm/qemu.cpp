#include "daemon/vmm/qemu.hpp"

#include <fmt/format.h>

namespace banger::vmm {
namespace {

std::string command_line(const Machine &machine, std::uint32_t tsc_khz) {
    // `panic=1` and `-no-reboot` turn a panic into the end of the VMM; `reboot=t` is the shortest
    // way down on a machine without a keyboard controller.
    std::string line = "console=ttyS0 panic=1 reboot=t quiet net.ifnames=0 random.trust_cpu=on";
    if (machine.accelerator == Accelerator::Tcg) {
        // microvm has neither HPET nor PM timer: the kernel's own calibration of the time stamp
        // counter, and its check of the timer interrupt, fail on a busy host and hang the boot.
        line += " no_timer_check";
        if (tsc_khz != 0) {
            // The counter is the host's own. Without "reliable" the kernel compares it with its
            // ticks, some of which are lost on a busy host, and goes on with a clock of ticks: slow
            // by the lost ones, 4 ms coarse, and each look at it a system call.
            line += fmt::format(" tsc_early_khz={} tsc=reliable", tsc_khz);
        }
    }
    if (!machine.extra_command_line.empty()) {
        line += " " + machine.extra_command_line;
    }
    return line;
}

} // namespace

Launch qemu_launch(const Machine &machine, std::uint32_t tsc_khz) {
    const bool kvm = machine.accelerator == Accelerator::Kvm;
    Launch launch;
    launch.binary = machine.binary;
    launch.files = files_of(machine);
    launch.opening = ChannelOpening::HostConnects;
    launch.channel_socket = "channel.sock";
    // Chardevs are made in the order of their arguments: this is the one after the channel's.
    launch.channel_sign = "qmp.sock";
    if (kvm) {
        launch.devices.emplace_back("/dev/kvm");
    }

    std::vector<std::string> &arguments = launch.arguments;
    const auto add = [&](std::initializer_list<std::string> more) {
        arguments.insert(arguments.end(), more);
    };
    add({"-M", "microvm,isa-serial=on,rtc=on", "-nodefaults", "-no-user-config", "-no-reboot"});
    add({"-display", "none"});
    // tb-size: the translation cache is 1 GiB by default and counts against the unit's memory.
    add({"-accel", kvm ? "kvm" : "tcg,thread=multi,tb-size=256"});
    add({"-cpu", kvm ? "host" : "max"});
    add({"-smp", std::to_string(machine.vcpus), "-m", fmt::format("{}M", machine.memory_mib)});
    add({"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
    add({"-kernel", kernel_name, "-initrd", initrd_name});
    add({"-append", command_line(machine, tsc_khz)});
    for (const Disk &disk : machine.disks) {
        add({"-drive",
             fmt::format("if=none,id={},file={},format=raw,cache=writeback,aio=threads,{}", disk.id,
                         disk_name(disk),
                         disk.read_only ? "read-only=on" : "discard=unmap,detect-zeroes=unmap")});
        add({"-device", fmt::format("virtio-blk-device,drive={}", disk.id)});
    }
    if (machine.nic) {
        launch.tap_by_descriptor = true;
        add({"-netdev", fmt::format("tap,id=net,fd={}", tap_descriptor)});
        add({"-device", fmt::format("virtio-net-device,netdev=net,mac={}", machine.nic->mac)});
    }
    add({"-object", "rng-builtin,id=rng", "-device", "virtio-rng-device,rng=rng"});
    add({"-device", "virtio-serial-device"});
    add({"-chardev",
         fmt::format("socket,id=channel,path={},server=on,wait=off", launch.channel_socket)});
    add({"-device", fmt::format("virtserialport,chardev=channel,name={}", channel_port_name)});
    add({"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"});
    add({"-chardev", "socket,id=qmp,path=qmp.sock,server=on,wait=off"});
    add({"-mon", "chardev=qmp,mode=control"});
    return launch;
}

} // namespace banger::vmm
