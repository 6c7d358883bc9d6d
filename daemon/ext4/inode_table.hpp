#pragma once

#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/tree.hpp"
#include "daemon/ext4/xattr.hpp"

#include <array>
#include <cstdint>

namespace banger::ext4 {

using InodeRecord = std::array<std::byte, inode_size>;

/// All that an inode's record on the disk needs beside the Inode.
struct InodeLayout {
    std::uint64_t size = 0;   ///< bytes
    std::uint64_t blocks = 0; ///< of the disk: data, tree and xattrs
    std::uint32_t links = 0;
    bool indexed = false;
    bool has_extents = false;
    ExtentRoot root{}; ///< or the target of a short symbolic link, or a device's numbers
    std::uint64_t xattr_block = 0;
    std::array<std::byte, inode_xattr_size> xattrs{};
};

InodeRecord encode_inode(InodeNumber number, const Inode &inode, const InodeLayout &layout,
                         const Checksum &checksum);

/// i_block of a device, as the kernel's old_encode_dev and new_encode_dev have it.
ExtentRoot encode_device(std::uint32_t major, std::uint32_t minor);

} // namespace banger::ext4
