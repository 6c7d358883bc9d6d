#pragma once

#include "daemon/ext4/format.hpp"

#include <cstdint>
#include <span>

namespace banger::ext4 {

/// crc32c as metadata_csum wants it (Documentation/filesystems/ext4/checksums.rst). Seeded with the
/// file system's UUID.
class Checksum {
public:
    explicit Checksum(const Uuid &uuid);

    /// For what belongs to an inode; our inodes are all of generation 0.
    std::uint32_t inode_seed(InodeNumber inode) const;
    std::uint32_t seed() const noexcept { return seed_; }

    static std::uint32_t add(std::uint32_t crc, std::span<const std::byte> data);

private:
    std::uint32_t seed_;
};

} // namespace banger::ext4
