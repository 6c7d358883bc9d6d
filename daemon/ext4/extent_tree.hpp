#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace banger::ext4 {

/// The 60 bytes i_block of an inode, as the root of an extent tree.
using ExtentRoot = std::array<std::byte, 60>;

struct ExtentTree {
    ExtentRoot root{};
    std::vector<Run> blocks; ///< of the disk, that the tree's own nodes take
};

/// Up to four extents fit into the inode; more get a tree of blocks, as flat as can be.
ExtentTree write_extent_tree(BlockWriter &blocks, const Checksum &checksum, InodeNumber inode,
                             const std::vector<Extent> &extents);

/// The root of a file whose data is one piece, or none where it has no blocks.
ExtentRoot extent_root(const Extent &extent);

/// Appends one block to a file, to the last extent where it continues that.
void append_blocks(std::vector<Extent> &extents, std::uint32_t logical, std::uint64_t physical,
                   std::uint64_t count);

} // namespace banger::ext4
