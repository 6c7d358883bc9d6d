#pragma once

#include "daemon/config/config.hpp"

#include <cstdint>

namespace banger::config {

constexpr std::uint32_t min_vcpus = 1;
constexpr std::uint32_t max_vcpus = 32; ///< Firecracker's limit
constexpr std::uint64_t min_memory_mib = 128;
constexpr std::uint64_t min_disk_bytes = 64ULL << 20U;
constexpr std::uint64_t max_disk_bytes = 16ULL << 40U; ///< ext4 with blocks of 4 KiB

/// The size of a VM.
struct Shape {
    std::uint32_t vcpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_bytes = 0;    ///< work disk, mounted at /root
    std::uint64_t overlay_bytes = 0; ///< writable layer over the image
};

Shape default_shape(const Config &config);

/// Throws Error{InvalidArgument} that names the value, what is allowed and, where it is known, the
/// flag. More vCPUs than the host has are allowed, more memory than it has is not.
void validate(const Shape &shape, const HostSize &host);

} // namespace banger::config
