#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace banger::ext4 {

class Tree;

using HashSeed = std::array<std::uint32_t, 4>;

struct WrittenDirectory {
    std::vector<Extent> extents;
    bool indexed = false; ///< has a hash tree (EXT2_INDEX_FL)
    std::uint32_t subdirectories = 0;
};

/// Writes a directory once, whole: in one block in the order of its names, or in as many as it
/// needs, full and with their hash tree.
WrittenDirectory write_directory(BlockWriter &blocks, const Checksum &checksum,
                                 const HashSeed &seed, const Tree &tree, InodeNumber self);

} // namespace banger::ext4
