#pragma once

#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/tree.hpp"

#include <array>

namespace banger::ext4 {

using InodeRecord = std::array<std::byte, inode_size>;

/// Of an inode whose data and xattrs are written.
InodeRecord encode_inode(InodeNumber number, const Tree &tree, const Checksum &checksum);

} // namespace banger::ext4
