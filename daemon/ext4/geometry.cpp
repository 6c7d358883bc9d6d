#include "daemon/ext4/geometry.hpp"

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "daemon/ext4/libext2fs.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace banger::ext4 {
namespace {

constexpr std::uint64_t descriptors_per_block = block_size / 64;
constexpr std::uint32_t inodes_per_block = block_size / inode_size;
/// A group's inodes must fit into a bitmap of one block.
constexpr std::uint32_t max_table_blocks = block_size * 8 / inodes_per_block;
/// libext2fs drops a last group that has less than this beside its own metadata.
constexpr std::uint64_t smallest_rest = 50;

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

/// As large as the metadata that libext2fs expects in the last group makes necessary.
std::uint64_t with_room_in_last_group(std::uint64_t blocks, std::uint64_t table_blocks) {
    const std::uint64_t groups = divide_up(blocks, blocks_per_group);
    std::uint64_t overhead = 2 + table_blocks;
    if (group_has_backup(groups - 1)) {
        overhead += 1 + divide_up(groups, descriptors_per_block);
    }
    const std::uint64_t in_last = blocks - (groups - 1) * blocks_per_group;
    const std::uint64_t needed =
        std::min<std::uint64_t>(overhead + smallest_rest + 14, blocks_per_group);
    return (groups - 1) * blocks_per_group + std::max(in_last, needed);
}

/// The one thing that cannot be undone: a part of the planned layout that libext2fs does otherwise.
void expect(bool as_planned, std::string_view what) {
    if (!as_planned) {
        fail(ErrorCode::Internal, "libext2fs lays out {} otherwise than planned", what);
    }
}

} // namespace

Identity identity_of(std::string_view label) {
    const std::string digest = sha256_of(std::string("banger file system ").append(label));
    std::array<std::uint8_t, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char *digits = digest.data() + 2 * i;
        std::from_chars(digits, digits + 2, bytes[i], 16);
    }
    Identity identity;
    std::copy_n(bytes.begin(), 16, identity.uuid.begin());
    // RFC 9562: version 8, of one's own making.
    identity.uuid[6] = static_cast<std::uint8_t>((identity.uuid[6] & 0x0fU) | 0x80U);
    identity.uuid[8] = static_cast<std::uint8_t>((identity.uuid[8] & 0x3fU) | 0x80U);
    std::memcpy(identity.hash_seed.data(), bytes.data() + 16, 16);
    return identity;
}

Geometry plan_geometry(BlockWriter &blocks, InodeNumber inodes) {
    // Metadata makes the disk larger, more groups make more metadata: until it fits.
    Geometry geometry;
    std::uint64_t groups = divide_up(blocks.end(), blocks_per_group);
    const std::uint64_t start = blocks.end();
    for (;; ++groups) {
        geometry.table_blocks =
            static_cast<std::uint32_t>(divide_up(divide_up(inodes, groups), inodes_per_block));
        // Tables cannot lie across a place of descriptors; what is lost there is less than one
        // table and that place.
        const std::uint64_t worst = start + groups * (2 + geometry.table_blocks) +
                                    2 * (geometry.table_blocks + std::uint64_t{1024});
        if (worst <= groups * blocks_per_group && geometry.table_blocks <= max_table_blocks) {
            break;
        }
    }
    geometry.groups = static_cast<std::uint32_t>(groups);
    geometry.inodes_per_group = geometry.table_blocks * inodes_per_block;
    for (std::uint32_t i = 0; i < geometry.groups; ++i) {
        geometry.block_bitmaps.push_back(blocks.reserve(1));
        geometry.inode_bitmaps.push_back(blocks.reserve(1));
    }
    for (std::uint32_t i = 0; i < geometry.groups; ++i) {
        geometry.tables.push_back(blocks.reserve(geometry.table_blocks));
    }
    geometry.blocks = with_room_in_last_group(
        std::max(blocks.end(), (groups - 1) * blocks_per_group + 1), geometry.table_blocks);
    expect(divide_up(geometry.blocks, blocks_per_group) == groups, "the groups");
    return geometry;
}

void write_superstructure(int fd, const Geometry &geometry, std::string_view label,
                          const Identity &identity, std::int64_t time, const std::vector<Run> &used,
                          const Tree &tree) {
    ext2_super_block wanted{};
    ext2fs_blocks_count_set(&wanted, geometry.blocks);
    wanted.s_inodes_count = geometry.inodes_per_group * geometry.groups;
    wanted.s_rev_level = EXT2_DYNAMIC_REV;
    wanted.s_log_block_size = 2;
    wanted.s_log_cluster_size = 2;
    wanted.s_inode_size = inode_size;
    wanted.s_log_groups_per_flex = 4;
    wanted.s_desc_size = 64;
    // As mke2fs of Debian 12, without journal and room to grow: the file system is never written
    // to.
    wanted.s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_DIR_INDEX;
    wanted.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
                                EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
    if (tree.has_xattr_values()) {
        wanted.s_feature_incompat |= EXT4_FEATURE_INCOMPAT_EA_INODE;
    }
    wanted.s_feature_ro_compat =
        EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
        EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
        EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;

    ext2_filsys raw = nullptr;
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    check(ext2fs_initialize(path.c_str(), EXT2_FLAG_64BITS, &wanted, unix_io_manager, &raw),
          "lay out the file system");
    std::unique_ptr<struct_ext2_filsys, FreeFileSystem> fs{raw};
    expect(ext2fs_blocks_count(fs->super) == geometry.blocks, "the blocks");
    expect(fs->group_desc_count == geometry.groups, "the groups");
    expect(fs->super->s_inodes_per_group == geometry.inodes_per_group, "the inodes");
    expect(fs->inode_blocks_per_group == geometry.table_blocks, "the inode tables");

    ext2_super_block &super = *fs->super;
    std::copy(identity.uuid.begin(), identity.uuid.end(), super.s_uuid);
    std::copy(identity.hash_seed.begin(), identity.hash_seed.end(), super.s_hash_seed);
    std::copy(label.begin(), label.end(), super.s_volume_name);
    super.s_def_hash_version = EXT2_HASH_HALF_MD4;
    super.s_flags = EXT2_FLAGS_SIGNED_HASH;
    super.s_min_extra_isize = super.s_want_extra_isize = extra_isize;
    super.s_checksum_type = EXT2_CRC32C_CHKSUM;
    super.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
    super.s_max_mnt_count = -1;
    super.s_checkinterval = 0;
    fs->now = time;
    super.s_mkfs_time = super.s_lastcheck = super.s_wtime = static_cast<std::uint32_t>(time);
    ext2fs_init_csum_seed(fs.get());

    for (std::uint32_t group = 0; group < geometry.groups; ++group) {
        ext2fs_block_bitmap_loc_set(fs.get(), group, geometry.block_bitmaps[group]);
        ext2fs_inode_bitmap_loc_set(fs.get(), group, geometry.inode_bitmaps[group]);
        ext2fs_inode_table_loc_set(fs.get(), group, geometry.tables[group]);
        // A hole reads as zeros.
        ext2fs_bg_flags_set(fs.get(), group, EXT2_BG_INODE_ZEROED);
        ext2fs_block_alloc_stats_range(fs.get(), geometry.block_bitmaps[group], 1, +1);
        ext2fs_block_alloc_stats_range(fs.get(), geometry.inode_bitmaps[group], 1, +1);
        ext2fs_block_alloc_stats_range(fs.get(), geometry.tables[group], geometry.table_blocks, +1);
    }
    for (const Run &run : used) {
        ext2fs_block_alloc_stats_range(fs.get(), run.start, static_cast<blk_t>(run.length), +1);
    }
    for (InodeNumber number = 1; number < first_free_inode; ++number) {
        ext2fs_inode_alloc_stats2(fs.get(), number, +1, number == root_inode ? 1 : 0);
    }
    for (InodeNumber number = first_free_inode; number < tree.end(); ++number) {
        if (tree.has(number)) {
            ext2fs_inode_alloc_stats2(fs.get(), number, +1, tree.at(number).is_directory() ? 1 : 0);
        }
    }
    ext2fs_mark_super_dirty(fs.get());
    ext2fs_mark_bb_dirty(fs.get());
    ext2fs_mark_ib_dirty(fs.get());
    ext2_filsys closing = fs.release();
    const errcode_t closed = ext2fs_close2(closing, EXT2_FLAG_FLUSH_NO_SYNC);
    if (closed != 0) {
        ext2fs_free(closing);
    }
    check(closed, "write the file system's superblocks and bitmaps");
}

} // namespace banger::ext4
