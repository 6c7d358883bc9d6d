#pragma once

#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/tree.hpp"

namespace banger::ext4 {

/// Writes the xattrs of an inode of this type: a block of them, and those whose values are too
/// large to lie beside the others, each into an inode of its own (ea_inode). What goes into the
/// inode itself is part of the result. Throws Error{Unsupported} for what ext4 cannot hold even so,
/// and as values_for_inodes() does.
WrittenXattrs write_xattrs(const std::vector<Xattr> &xattrs, EntryType type, BlockWriter &blocks,
                           const Checksum &checksum, Tree &tree);

} // namespace banger::ext4
