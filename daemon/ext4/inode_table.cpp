#include "daemon/ext4/inode_table.hpp"

#include "daemon/ext4/libext2fs.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace banger::ext4 {
namespace {

static_assert(sizeof(ext2_inode_large) >= 128 + extra_isize);

std::uint16_t type_bits(EntryType type) {
    switch (type) {
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

struct EncodedTime {
    std::uint32_t seconds;
    std::uint32_t extra; ///< two bits of epoch, thirty of nanoseconds
};

EncodedTime encode_time(Time time) {
    constexpr std::int64_t first = -(std::int64_t{1} << 31);
    constexpr std::int64_t last = first + (std::int64_t{1} << 34) - 1;
    const std::int64_t seconds = std::clamp(time.seconds, first, last);
    const auto low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(seconds));
    const std::int64_t epoch = (seconds - static_cast<std::int32_t>(low)) >> 32;
    return {low, static_cast<std::uint32_t>(epoch & 3) | time.nanoseconds << 2U};
}

} // namespace

ExtentRoot encode_device(std::uint32_t major, std::uint32_t minor) {
    ExtentRoot numbers{};
    if (major < 256 && minor < 256) {
        put(numbers, 0, major << 8U | minor);
    } else {
        put(numbers, 4, (minor & 0xffU) | major << 8U | (minor & ~0xffU) << 12U);
    }
    return numbers;
}

InodeRecord encode_inode(InodeNumber number, const Inode &inode, const InodeLayout &layout,
                         const Checksum &checksum) {
    const Metadata &metadata = inode.metadata;
    ext2_inode_large raw{};
    raw.i_mode =
        static_cast<std::uint16_t>(type_bits(inode.type) | (metadata.permissions & 07777U));
    raw.i_uid = static_cast<std::uint16_t>(metadata.uid);
    raw.osd2.linux2.l_i_uid_high = static_cast<std::uint16_t>(metadata.uid >> 16U);
    raw.i_gid = static_cast<std::uint16_t>(metadata.gid);
    raw.osd2.linux2.l_i_gid_high = static_cast<std::uint16_t>(metadata.gid >> 16U);
    raw.i_size = static_cast<std::uint32_t>(layout.size);
    raw.i_size_high = static_cast<std::uint32_t>(layout.size >> 32U);
    raw.i_links_count = static_cast<std::uint16_t>(layout.links);
    const std::uint64_t sectors = layout.blocks * (block_size / 512);
    raw.i_blocks = static_cast<std::uint32_t>(sectors);
    raw.osd2.linux2.l_i_blocks_hi = static_cast<std::uint16_t>(sectors >> 32U);
    raw.i_flags = (layout.has_extents ? std::uint32_t{EXT4_EXTENTS_FL} : 0U) |
                  (layout.indexed ? std::uint32_t{EXT2_INDEX_FL} : 0U) |
                  (inode.is_xattr_value ? std::uint32_t{EXT4_EA_INODE_FL} : 0U);
    // The references to the value, together with the time of change, which is 0.
    raw.osd1.linux1.l_i_version = inode.is_xattr_value ? 1 : 0;
    raw.i_file_acl = static_cast<std::uint32_t>(layout.xattr_block);
    raw.osd2.linux2.l_i_file_acl_high = static_cast<std::uint16_t>(layout.xattr_block >> 32U);
    std::memcpy(raw.i_block, layout.root.data(), layout.root.size());

    const EncodedTime modified = encode_time(metadata.modified);
    const EncodedTime accessed = encode_time(metadata.accessed.value_or(metadata.modified));
    raw.i_extra_isize = extra_isize;
    raw.i_mtime = raw.i_ctime = raw.i_crtime = modified.seconds;
    raw.i_mtime_extra = raw.i_ctime_extra = raw.i_crtime_extra = modified.extra;
    raw.i_atime = accessed.seconds;
    raw.i_atime_extra = accessed.extra;

    InodeRecord record{};
    std::memcpy(record.data(), &raw, 128 + extra_isize);
    std::copy(layout.xattrs.begin(), layout.xattrs.end(), record.begin() + inode_xattr_offset);
    const std::uint32_t crc = Checksum::add(checksum.inode_seed(number), record);
    put(record, offsetof(ext2_inode_large, osd2.linux2.l_i_checksum_lo),
        static_cast<std::uint16_t>(crc));
    put(record, offsetof(ext2_inode_large, i_checksum_hi), static_cast<std::uint16_t>(crc >> 16U));
    return record;
}

} // namespace banger::ext4
