#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace banger::ext4 {

/// Type of the inode as a directory entry tells it (EXT2_FT_…).
enum class EntryType : std::uint8_t {
    Regular = 1,
    Directory = 2,
    CharacterDevice = 3,
    BlockDevice = 4,
    Fifo = 5,
    Socket = 6,
    Symlink = 7,
};

struct DirectoryEntry {
    std::string_view name;
    InodeNumber inode = 0;
    EntryType type = EntryType::Regular;
};

using HashSeed = std::array<std::uint32_t, 4>;

struct WrittenDirectory {
    std::vector<Extent> extents;
    std::uint32_t block_count = 0;
    bool indexed = false; ///< has a hash tree (EXT2_INDEX_FL)
};

/// Writes a directory once, whole: in one block in the order given, or in as many as it needs, full
/// and with their hash tree.
WrittenDirectory write_directory(BlockWriter &blocks, const Checksum &checksum,
                                 const HashSeed &seed, InodeNumber self, InodeNumber parent,
                                 const std::vector<DirectoryEntry> &entries);

} // namespace banger::ext4
