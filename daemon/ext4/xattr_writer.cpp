#include "daemon/ext4/xattr_writer.hpp"

#include "base/error.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/file_data.hpp"

#include <algorithm>

namespace banger::ext4 {
namespace {

constexpr std::size_t max_value = 65536;

InodeNumber write_value(std::string_view value, std::uint32_t hash, BlockWriter &blocks,
                        const Checksum &checksum, Tree &tree) {
    Inode inode;
    inode.type = EntryType::Regular;
    inode.is_xattr_value = true;
    inode.permissions = 0600;
    inode.accessed = disk_time({hash, 0});
    inode.links = 1;
    inode.content = RegularFile{value.size(), {}};
    const InodeNumber number = tree.create(inode);
    std::vector<Extent> extents;
    std::uint32_t logical = 0;
    while (!value.empty()) {
        const BlockWriter::Room room = blocks.next((value.size() + block_size - 1) / block_size);
        const std::size_t taken = std::min(value.size(), room.memory.size());
        std::memcpy(room.memory.data(), value.data(), taken);
        std::fill(room.memory.begin() + static_cast<std::ptrdiff_t>(taken), room.memory.end(),
                  std::byte{0});
        const std::size_t count = room.memory.size() / block_size;
        append_blocks(extents, logical, room.block, count);
        logical += static_cast<std::uint32_t>(count);
        value.remove_prefix(taken);
    }
    set_data(tree, number, extents, blocks, checksum);
    return number;
}

/// The values that are too large to lie beside the others.
ValueInodes write_large_values(const std::vector<Xattr> &xattrs, EntryType type,
                               BlockWriter &blocks, const Checksum &checksum, Tree &tree) {
    ValueInodes values;
    for (const std::string &name : values_for_inodes(xattrs)) {
        // Linux takes a short target for a long one where the link has blocks, and it counts those
        // of its values.
        if (type == EntryType::Symlink) {
            fail(ErrorCode::Unsupported, "a symbolic link cannot hold as much as its {}", name);
        }
        const auto xattr = std::find_if(xattrs.begin(), xattrs.end(),
                                        [&](const Xattr &x) { return x.name == name; });
        if (xattr->value.size() > max_value || name.starts_with("system.")) {
            fail(ErrorCode::Unsupported, "{} of {} bytes is larger than ext4 allows", name,
                 xattr->value.size());
        }
        ValueInode value;
        value.size = static_cast<std::uint32_t>(xattr->value.size());
        value.hash = Checksum::add(checksum.seed(), std::as_bytes(std::span{xattr->value}));
        value.inode = write_value(xattr->value, value.hash, blocks, checksum, tree);
        values.emplace(name, value);
    }
    return values;
}

} // namespace

WrittenXattrs write_xattrs(const std::vector<Xattr> &xattrs, EntryType type, BlockWriter &blocks,
                           const Checksum &checksum, Tree &tree) {
    WrittenXattrs written;
    if (xattrs.empty()) {
        return written;
    }
    const ValueInodes values = write_large_values(xattrs, type, blocks, checksum, tree);
    EncodedXattrs encoded = encode_xattrs(xattrs, values);
    written.in_inode = &tree.shared(encoded.in_inode);
    if (encoded.block) {
        const BlockWriter::Room room = blocks.next(1);
        seal_xattr_block(*encoded.block, room.block, checksum);
        std::memcpy(room.memory.data(), encoded.block->data(), block_size);
        written.block = room.block;
    }
    for (const auto &[name, value] : values) {
        written.values.push_back(value.inode);
        written.value_blocks +=
            static_cast<std::uint32_t>((value.size + block_size - 1) / block_size);
    }
    return written;
}

} // namespace banger::ext4
