#pragma once

#include "agent/identity/identity.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace banger::init {

/// The disks of the VM, found by what is on them, never by their order.
struct Disks {
    std::filesystem::path image;   ///< ext4 that is none of the others
    std::filesystem::path modules; ///< ext4 labelled "banger-modules"; may be missing
    std::filesystem::path overlay; ///< ext4 labelled "banger-overlay"
    std::filesystem::path work;    ///< ext4 labelled "banger-work"; may be missing
    std::filesystem::path config;  ///< begins with "BANGER-IDENTITY\n"

    bool complete() const { return !image.empty() && !overlay.empty() && !config.empty(); }
};

/// What the superblock of an ext4 says.
struct Ext4 {
    std::string label;
    std::uint64_t blocks = 0;
    std::uint32_t block_size = 0;
};

/// Reads a superblock from the first 4096 bytes of a device; nullopt for another content.
std::optional<Ext4> parse_ext4(std::string_view start);

/// Looks at all block devices, and again on each device event, until image, overlay and config are
/// there. Throws Error{NotFound} that says what is missing after `deadline`.
Disks find_disks(std::chrono::milliseconds deadline);

/// Reads the config disk. Throws Error.
identity::Identity read_identity(const std::filesystem::path &config);

/// Grows the mounted file system to its device, if that has become larger. A failure is told on the
/// console: the guest starts with the old size.
void grow(const std::filesystem::path &device, const std::filesystem::path &mount_point);

} // namespace banger::init
