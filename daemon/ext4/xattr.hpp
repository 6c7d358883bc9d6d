#pragma once

#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"

#include <array>
#include <optional>
#include <vector>

namespace banger::ext4 {

constexpr std::size_t inode_xattr_offset = 128 + extra_isize;
constexpr std::size_t inode_xattr_size = inode_size - inode_xattr_offset;

struct EncodedXattrs {
    std::array<std::byte, inode_xattr_size> in_inode{};
    std::optional<Block> block; ///< what does not fit; without its checksum
};

/// The on-disk form: as many as fit go into the inode, the rest into one block. Throws
/// Error{InvalidArgument} for a name of an unknown class or a damaged ACL, Unsupported for more
/// than fits.
EncodedXattrs encode_xattrs(const std::vector<Xattr> &xattrs);

/// Sets the checksum, which holds the block's own number.
void seal_xattr_block(Block &block, std::uint64_t number, const Checksum &checksum);

} // namespace banger::ext4
