#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/directory.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/tree.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace banger::ext4 {

/// What makes two file systems of one label equal: nothing in them is by chance.
struct Identity {
    Uuid uuid{};
    HashSeed hash_seed{};
};
Identity identity_of(std::string_view label);

/// Where the bitmaps and inode tables lie, and how large all is.
struct Geometry {
    std::uint64_t blocks = 0;
    std::uint32_t groups = 0;
    std::uint32_t inodes_per_group = 0;
    std::uint32_t table_blocks = 0; ///< of each group
    std::vector<std::uint64_t> block_bitmaps;
    std::vector<std::uint64_t> inode_bitmaps;
    std::vector<std::uint64_t> tables;
};

/// Puts the metadata behind the data (flex_bg allows that) and closes the disk there. `inodes`: the
/// highest number in use.
Geometry plan_geometry(BlockWriter &blocks, InodeNumber inodes);

/// Superblocks, descriptors and bitmaps, by libext2fs. `used`: all blocks of files and directories,
/// without overlaps. `time`: seconds since the epoch, in place of the clock.
void write_superstructure(int fd, const Geometry &geometry, std::string_view label,
                          const Identity &identity, std::int64_t time, const std::vector<Run> &used,
                          const Tree &tree);

} // namespace banger::ext4
