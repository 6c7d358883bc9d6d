#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/tree.hpp"

namespace banger::ext4 {

/// Tells an inode where its data is, once all of it is written; `extents` in the order of the file.
/// Writes the tree of them, where they are many.
void set_data(Tree &tree, InodeNumber number, const std::vector<Extent> &extents,
              BlockWriter &blocks, const Checksum &checksum);

} // namespace banger::ext4
