#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/tree.hpp"

namespace banger::ext4 {

/// Writes the values that are too large to lie beside the others, each into an inode of its own
/// (ea_inode), and takes them out of the metadata. Throws Error{Unsupported} for what ext4 cannot
/// hold even so, and as values_for_inodes() does.
void write_large_xattrs(Inode &inode, BlockWriter &blocks, const Checksum &checksum, Tree &tree);

} // namespace banger::ext4
