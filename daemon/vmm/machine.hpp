#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::vmm {

enum class Kind { Firecracker, Qemu };
enum class Accelerator { Kvm, Tcg };

std::string_view to_string(Kind kind) noexcept;
std::string_view to_string(Accelerator accelerator) noexcept;

struct Disk {
    std::string id; ///< "image", "modules", "overlay", "work", "config": 1 to 16 of a-z
    std::filesystem::path path;
    bool read_only = true;
};

struct Nic {
    std::string tap; ///< made by banger-network-helper, owned by this user
    std::string mac; ///< "06:00:ac:10:00:02"
};

/// One VM, in no VMM's terms. bangerd writes it as `machine.json` into the VM's runtime directory
/// (Paths::vm_runtime); banger-vm-supervisor reads it. Nothing in it differs between two VMs of one
/// shape but paths, tap and MAC.
struct Machine {
    std::string name;
    Kind kind = Kind::Qemu;
    Accelerator accelerator = Accelerator::Tcg;
    std::filesystem::path binary; ///< absolute path of firecracker or qemu-system-x86_64
    std::uint32_t vcpus = 1;      ///< 1 to 32
    std::uint64_t memory_mib = 512;
    std::filesystem::path kernel; ///< uncompressed ELF vmlinux (with PVH note)
    std::filesystem::path initrd;
    std::string extra_command_line; ///< appended to what the driver needs; no secrets, no identity
    std::vector<Disk> disks;
    std::optional<Nic> nic;
    bool confined = true;                    ///< the VMM runs under bubblewrap
    std::filesystem::path runtime_directory; ///< sockets of the VM and of the supervisor
    std::filesystem::path state_directory;   ///< last-exit.json, disks
};

/// The JSON form, version 1 (field "version"). machine_from_json throws Error{InvalidArgument} for
/// anything that is missing, unknown or of a wrong type, and names it.
std::string to_json(const Machine &machine);
Machine machine_from_json(std::string_view text);

} // namespace banger::vmm
