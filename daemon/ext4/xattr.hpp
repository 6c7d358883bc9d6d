#pragma once

#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace banger::ext4 {

constexpr std::size_t inode_xattr_offset = 128 + extra_isize;
constexpr std::size_t inode_xattr_size = inode_size - inode_xattr_offset;

/// Where a value lies that has an inode of its own (ea_inode).
struct ValueInode {
    InodeNumber inode = 0;
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
};
/// By the attribute's name; its value is then not looked at.
using ValueInodes = std::map<std::string, ValueInode, std::less<>>;

/// The names of those whose values need inodes of their own for the rest to fit. Throws
/// Error{InvalidArgument} for a name of an unknown class or a damaged ACL, Unsupported for more
/// than fits even so.
std::vector<std::string> values_for_inodes(const std::vector<Xattr> &xattrs);

using InodeXattrs = std::array<std::byte, inode_xattr_size>;

struct EncodedXattrs {
    InodeXattrs in_inode{};     ///< zeros: none
    std::optional<Block> block; ///< what does not fit; without its checksum
};

/// The on-disk form: as many as fit go into the inode, the rest into one block.
EncodedXattrs encode_xattrs(const std::vector<Xattr> &xattrs, const ValueInodes &value_inodes);

/// The xattrs of an inode, once they are written.
struct WrittenXattrs {
    const InodeXattrs *in_inode = nullptr;
    std::uint64_t block = 0;
    std::vector<InodeNumber> values; ///< that have inodes of their own
    std::uint32_t value_blocks = 0;
};

/// Sets the checksum, which holds the block's own number.
void seal_xattr_block(Block &block, std::uint64_t number, const Checksum &checksum);

} // namespace banger::ext4
