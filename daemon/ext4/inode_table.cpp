#include "daemon/ext4/inode_table.hpp"

#include "daemon/ext4/libext2fs.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace banger::ext4 {
namespace {

static_assert(sizeof(ext2_inode_large) >= 128 + extra_isize);

std::uint16_t type_bits(EntryType type) {
    switch (type) {
    case EntryType::Unknown:
    case EntryType::Regular:
        return S_IFREG;
    case EntryType::Directory:
        return S_IFDIR;
    case EntryType::CharacterDevice:
        return S_IFCHR;
    case EntryType::BlockDevice:
        return S_IFBLK;
    case EntryType::Fifo:
        return S_IFIFO;
    case EntryType::Socket:
        return S_IFSOCK;
    case EntryType::Symlink:
        return S_IFLNK;
    }
    return S_IFREG;
}

constexpr std::size_t max_short_target = sizeof(ExtentRoot) - 1;

/// As the kernel's old_encode_dev and new_encode_dev have it.
ExtentRoot encode_device(const Device &device) {
    ExtentRoot numbers{};
    if (device.major < 256 && device.minor < 256) {
        put(numbers, 0, device.major << 8U | device.minor);
    } else {
        put(numbers, 4,
            (device.minor & 0xffU) | device.major << 8U | (device.minor & ~0xffU) << 12U);
    }
    return numbers;
}

std::uint64_t size_of(const Inode &inode, const Tree &tree) {
    if (const auto *file = std::get_if<RegularFile>(&inode.content); file != nullptr) {
        return file->size;
    }
    if (const auto *directory = std::get_if<Directory>(&inode.content); directory != nullptr) {
        return std::uint64_t{directory->data.blocks} * block_size;
    }
    const auto *symlink = std::get_if<Symlink>(&inode.content);
    return symlink != nullptr ? tree.texts().at(symlink->target).size() : 0;
}

/// Of the disk, with those of an extent tree and of xattrs: values are charged to whom they belong,
/// as by the kernel.
std::uint64_t blocks_of(const Data *data, const Extra *extra) {
    std::uint64_t blocks = data != nullptr && data->start != 0 ? data->blocks : 0;
    if (extra == nullptr) {
        return blocks;
    }
    if (extra->pieces) {
        for (const Run &run : extra->pieces->runs) {
            blocks += run.length;
        }
    }
    return blocks + (extra->xattrs.block != 0 ? 1 : 0) + extra->xattrs.value_blocks;
}

bool is_short_symlink(const Inode &inode) {
    const auto *symlink = std::get_if<Symlink>(&inode.content);
    return symlink != nullptr && symlink->data.blocks == 0;
}

/// i_block: the root of an extent tree, the target of a short symbolic link, or a device's numbers.
ExtentRoot root_of(const Inode &inode, const Tree &tree, const Data *data, const Extra *extra) {
    ExtentRoot root{};
    if (const auto *device = std::get_if<Device>(&inode.content); device != nullptr) {
        return encode_device(*device);
    }
    if (is_short_symlink(inode)) {
        const std::string_view target =
            tree.texts().at(std::get<Symlink>(inode.content).target).substr(0, max_short_target);
        std::memcpy(root.data(), target.data(), target.size());
        return root;
    }
    if (data == nullptr) {
        return root;
    }
    if (extra != nullptr && extra->pieces) {
        return extra->pieces->root;
    }
    return extent_root({0, data->blocks, data->start});
}

} // namespace

InodeRecord encode_inode(InodeNumber number, const Tree &tree, const Checksum &checksum) {
    const Inode &inode = tree.at(number);
    const Data *data = data_of(inode);
    const Extra *extra = tree.find_extra(number);
    const std::uint64_t size = size_of(inode, tree);
    const std::uint64_t sectors = blocks_of(data, extra) * (block_size / 512);
    const std::uint64_t xattr_block = extra != nullptr ? extra->xattrs.block : 0;
    const ExtentRoot root = root_of(inode, tree, data, extra);

    ext2_inode_large raw{};
    raw.i_mode = static_cast<std::uint16_t>(type_bits(inode.type) | (inode.permissions & 07777U));
    raw.i_uid = static_cast<std::uint16_t>(inode.uid);
    raw.osd2.linux2.l_i_uid_high = static_cast<std::uint16_t>(inode.uid >> 16U);
    raw.i_gid = static_cast<std::uint16_t>(inode.gid);
    raw.osd2.linux2.l_i_gid_high = static_cast<std::uint16_t>(inode.gid >> 16U);
    raw.i_size = static_cast<std::uint32_t>(size);
    raw.i_size_high = static_cast<std::uint32_t>(size >> 32U);
    raw.i_links_count = inode.links;
    raw.i_blocks = static_cast<std::uint32_t>(sectors);
    raw.osd2.linux2.l_i_blocks_hi = static_cast<std::uint16_t>(sectors >> 32U);
    const bool has_extents = data != nullptr && !is_short_symlink(inode);
    raw.i_flags = (has_extents ? std::uint32_t{EXT4_EXTENTS_FL} : 0U) |
                  (inode.indexed ? std::uint32_t{EXT2_INDEX_FL} : 0U) |
                  (inode.is_xattr_value ? std::uint32_t{EXT4_EA_INODE_FL} : 0U);
    // The references to the value, together with the time of change, which is 0.
    raw.osd1.linux1.l_i_version = inode.is_xattr_value ? 1 : 0;
    raw.i_file_acl = static_cast<std::uint32_t>(xattr_block);
    raw.osd2.linux2.l_i_file_acl_high = static_cast<std::uint16_t>(xattr_block >> 32U);
    std::memcpy(raw.i_block, root.data(), root.size());

    raw.i_extra_isize = extra_isize;
    raw.i_mtime = raw.i_ctime = raw.i_crtime = inode.modified.seconds;
    raw.i_mtime_extra = raw.i_ctime_extra = raw.i_crtime_extra = inode.modified.extra;
    raw.i_atime = inode.accessed.seconds;
    raw.i_atime_extra = inode.accessed.extra;

    InodeRecord record{};
    std::memcpy(record.data(), &raw, 128 + extra_isize);
    if (extra != nullptr && extra->xattrs.in_inode != nullptr) {
        std::copy(extra->xattrs.in_inode->begin(), extra->xattrs.in_inode->end(),
                  record.begin() + inode_xattr_offset);
    }
    const std::uint32_t crc = Checksum::add(checksum.inode_seed(number), record);
    put(record, offsetof(ext2_inode_large, osd2.linux2.l_i_checksum_lo),
        static_cast<std::uint16_t>(crc));
    put(record, offsetof(ext2_inode_large, i_checksum_hi), static_cast<std::uint16_t>(crc >> 16U));
    return record;
}

} // namespace banger::ext4
