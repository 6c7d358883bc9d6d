#include "daemon/vmm/firecracker.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace banger::vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *config_name = "firecracker.json";
constexpr const char *vsock_name = "vsock.sock";

std::string command_line(const Machine &machine) {
    // Firecracker's defaults but for `nomodule` (the initramfs loads modules) and
    // `8250.nr_uarts=0` (no console): docs/rootfs-and-kernel-setup.md there.
    std::string line = "console=ttyS0 reboot=k panic=1 pci=off 8250.nr_uarts=1 i8042.noaux "
                       "i8042.nomux i8042.dumbkbd swiotlb=noforce quiet net.ifnames=0 "
                       "random.trust_cpu=on";
    if (!machine.extra_command_line.empty()) {
        line += " " + machine.extra_command_line;
    }
    return line;
}

Json drive(const Disk &disk) {
    return {
        {"drive_id", disk.id},
        {"path_on_host", disk_name(disk)},
        {"is_root_device", false},
        {"is_read_only", disk.read_only},
        // Only Writeback offers the guest a flush: what it synced is then on the host's disk.
        {"cache_type", disk.read_only ? "Unsafe" : "Writeback"},
        {"io_engine", "Sync"},
    };
}

} // namespace

Launch firecracker_launch(const Machine &machine) {
    Json config{
        {"boot-source",
         {{"kernel_image_path", kernel_name},
          {"initrd_path", initrd_name},
          {"boot_args", command_line(machine)}}},
        {"machine-config",
         {{"vcpu_count", machine.vcpus}, {"mem_size_mib", machine.memory_mib}, {"smt", false}}},
        {"drives", Json::array()},
        {"vsock", {{"guest_cid", 3}, {"uds_path", vsock_name}}},
        {"entropy", Json::object()},
    };
    for (const Disk &disk : machine.disks) {
        config["drives"].push_back(drive(disk));
    }
    if (machine.nic) {
        config["network-interfaces"] = Json::array({{{"iface_id", "net"},
                                                     {"host_dev_name", machine.nic->tap},
                                                     {"guest_mac", machine.nic->mac}}});
    }

    Launch launch;
    launch.binary = machine.binary;
    launch.arguments = {"--api-sock", "api.sock", "--config-file",
                        config_name,  "--level",  "Warning"};
    launch.files = files_of(machine);
    launch.written = {{.name = config_name, .content = config.dump(2) + "\n"}};
    launch.devices = {"/dev/kvm"};
    if (machine.nic) {
        launch.devices.emplace_back("/dev/net/tun");
    }
    launch.opening = ChannelOpening::GuestDials;
    launch.channel_socket = fmt::format("{}_{}", vsock_name, channel_port);
    return launch;
}

} // namespace banger::vmm
