#pragma once

#include "daemon/config/config.hpp"
#include "daemon/vmm/machine.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace banger::vmm {

/// What opening /dev/kvm for reading and writing says.
enum class KvmDevice { Absent, Denied, Opens };

/// What this host offers, as probe() found it.
struct HostFacts {
    std::optional<std::filesystem::path> firecracker; ///< absolute
    std::optional<std::filesystem::path> qemu;        ///< absolute, qemu-system-x86_64
    KvmDevice kvm = KvmDevice::Absent;
    /// kvm_intel or kvm_amd is loaded: an openable /dev/kvm alone does not prove that guests run.
    bool hardware_virtualisation = false;
    std::string user; ///< for the cure of KvmDevice::Denied
    /// The user is in group kvm by now, but this process was started before that.
    bool joined_kvm_group = false;
};

/// What the configuration asks for.
struct Wish {
    config::VmmChoice vmm = config::VmmChoice::Auto;
    std::filesystem::path firecracker_bin{}; ///< absolute; empty: by PATH
    std::filesystem::path qemu_bin{};        ///< absolute; empty: by PATH
    /// Take an openable /dev/kvm as usable, whatever module stands behind it.
    bool trust_kvm = false;
};

struct Selection {
    Kind kind = Kind::Qemu;
    Accelerator accelerator = Accelerator::Tcg;
    std::filesystem::path binary;
    std::string reason; ///< one line for people: "Firecracker: found at …, and KVM is usable"
};

/// Looks at the host. Never throws for what is missing.
HostFacts probe(const Wish &wish);

/// Firecracker where it is found and KVM is usable, else QEMU with KVM, else QEMU with software
/// emulation; or what the wish names. Throws Error{NotAuthorized} when this user may not open
/// /dev/kvm, with the cure, and Error{VmmFailed} when the VMM is not there or cannot run here.
Selection choose(const Wish &wish, const HostFacts &facts);

} // namespace banger::vmm
