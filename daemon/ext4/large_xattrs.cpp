#include "daemon/ext4/large_xattrs.hpp"

#include "base/error.hpp"
#include "daemon/ext4/extent_tree.hpp"

#include <algorithm>

namespace banger::ext4 {
namespace {

constexpr std::size_t max_value = 65536;

Inode write_value(std::string_view value, std::uint32_t hash, BlockWriter &blocks) {
    Inode inode;
    inode.type = EntryType::Regular;
    inode.is_xattr_value = true;
    inode.metadata.permissions = 0600;
    inode.metadata.accessed = Time{hash, 0};
    inode.links = 1;
    inode.size = value.size();
    std::uint32_t logical = 0;
    while (!value.empty()) {
        const BlockWriter::Room room = blocks.next((value.size() + block_size - 1) / block_size);
        const std::size_t taken = std::min(value.size(), room.memory.size());
        std::memcpy(room.memory.data(), value.data(), taken);
        std::fill(room.memory.begin() + static_cast<std::ptrdiff_t>(taken), room.memory.end(),
                  std::byte{0});
        const std::size_t count = room.memory.size() / block_size;
        append_blocks(inode.extents, logical, room.block, count);
        logical += static_cast<std::uint32_t>(count);
        value.remove_prefix(taken);
    }
    return inode;
}

} // namespace

void write_large_xattrs(Inode &inode, BlockWriter &blocks, const Checksum &checksum, Tree &tree) {
    for (std::string &name : values_for_inodes(inode.metadata.xattrs)) {
        // Linux takes a short target for a long one where the link has blocks, and it counts those
        // of its values.
        if (inode.type == EntryType::Symlink) {
            fail(ErrorCode::Unsupported, "a symbolic link cannot hold as much as its {}", name);
        }
        const auto xattr = std::find_if(inode.metadata.xattrs.begin(), inode.metadata.xattrs.end(),
                                        [&](const Xattr &x) { return x.name == name; });
        if (xattr->value.size() > max_value || xattr->name.starts_with("system.")) {
            fail(ErrorCode::Unsupported, "{} of {} bytes is larger than ext4 allows", name,
                 xattr->value.size());
        }
        ValueInode value;
        value.size = static_cast<std::uint32_t>(xattr->value.size());
        value.hash = Checksum::add(checksum.seed(), std::as_bytes(std::span{xattr->value}));
        value.inode = tree.create(write_value(xattr->value, value.hash, blocks));
        xattr->value = {};
        inode.value_inodes.emplace(std::move(name), value);
    }
}

} // namespace banger::ext4
