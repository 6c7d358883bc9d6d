#include "daemon/ext4/empty_disk.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/steps.hpp"
#include "daemon/ext4/geometry.hpp"
#include "daemon/ext4/libext2fs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace banger::ext4 {
namespace {

/// mke2fs.conf: one inode for each 16 KiB.
constexpr std::uint64_t bytes_per_inode = 16384;
/// resize_inode: room for descriptors until this many times the size; each of its blocks takes room
/// on the disk.
constexpr std::uint64_t growth = 64;
constexpr std::uint64_t descriptors_per_block = block_size / 64;

std::uint16_t reserved_descriptor_blocks(std::uint64_t blocks) {
    const auto needed = [](std::uint64_t n) {
        const std::uint64_t groups = (n + blocks_per_group - 1) / blocks_per_group;
        return (groups + descriptors_per_block - 1) / descriptors_per_block;
    };
    const std::uint64_t limit = std::min<std::uint64_t>(blocks * growth, 0xffffffffULL);
    return static_cast<std::uint16_t>(
        std::min<std::uint64_t>(needed(limit) - needed(blocks), block_size / 4));
}

ext2_super_block wanted_super(std::uint64_t size) {
    const std::uint64_t blocks = size / block_size;
    ext2_super_block wanted{};
    ext2fs_blocks_count_set(&wanted, blocks);
    ext2fs_r_blocks_count_set(&wanted, 0);
    wanted.s_inodes_count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(size / bytes_per_inode, 0xfffff000U));
    wanted.s_rev_level = EXT2_DYNAMIC_REV;
    wanted.s_log_block_size = 2;
    wanted.s_log_cluster_size = 2;
    wanted.s_inode_size = inode_size;
    wanted.s_log_groups_per_flex = 4;
    wanted.s_desc_size = 64;
    wanted.s_reserved_gdt_blocks = reserved_descriptor_blocks(blocks);
    wanted.s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_DIR_INDEX |
                              EXT2_FEATURE_COMPAT_RESIZE_INODE;
    wanted.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
                                EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
    wanted.s_feature_ro_compat =
        EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
        EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
        EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
    return wanted;
}

void set_identity(ext2_filsys fs, std::string_view label) {
    const Identity identity = identity_of(label);
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
    ext2fs_init_csum_seed(fs);
}

void fill(ext2_filsys fs) {
    check(ext2fs_allocate_tables(fs), "allocate the inode tables");
    for (dgrp_t group = 0; group < fs->group_desc_count; ++group) {
        // The file is a hole, and a hole reads as zeros: the guest need not zero anything.
        ext2fs_bg_flags_set(fs, group,
                            static_cast<__u16>(ext2fs_bg_flags(fs, group) | EXT2_BG_INODE_ZEROED));
        ext2fs_group_desc_csum_set(fs, group);
    }
    for (InodeNumber number = 1; number < first_free_inode; ++number) {
        if (number != root_inode) {
            ext2fs_inode_alloc_stats2(fs, number, +1, 0);
        }
    }
    check(ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr), "make the root directory");
    check(ext2fs_mkdir(fs, EXT2_ROOT_INO, 0, "lost+found"), "make lost+found");
    check(ext2fs_create_resize_inode(fs), "reserve room to grow");
    const int journal_blocks = ext2fs_default_journal_size(ext2fs_blocks_count(fs->super));
    check(ext2fs_add_journal_inode(fs, static_cast<blk_t>(std::max(journal_blocks, 1024)),
                                   EXT2_MKJOURNAL_LAZYINIT | EXT2_MKJOURNAL_NO_MNT_CHECK),
          "make the journal");
}

} // namespace

void format_empty_disk(const std::filesystem::path &path, std::uint64_t size,
                       std::string_view label) {
    if (size < 16 * MiB || label.size() > 16) {
        fail(ErrorCode::InvalidArgument,
             "a disk of {} with the label {:?} cannot be: 16 MiB at least, 16 bytes at most",
             format_byte_size(size), label);
    }
    size -= size % block_size;
    const UniqueFd file = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    UndoList undo;
    undo.add("make " + path.string(), [&] { std::filesystem::remove(path); });
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
        throw_errno("size " + path.string());
    }
    ext2_super_block wanted = wanted_super(size);
    ext2_filsys raw = nullptr;
    check(ext2fs_initialize(path.c_str(), EXT2_FLAG_64BITS, &wanted, unix_io_manager, &raw),
          "format " + path.string());
    std::unique_ptr<struct_ext2_filsys, FreeFileSystem> fs{raw};
    fs->now = 1;
    set_identity(fs.get(), label);
    fill(fs.get());
    fs->super->s_mkfs_time = fs->super->s_lastcheck = fs->super->s_wtime = 1;
    ext2_filsys closing = fs.release();
    const errcode_t closed = ext2fs_close2(closing, EXT2_FLAG_FLUSH_NO_SYNC);
    if (closed != 0) {
        ext2fs_free(closing);
    }
    check(closed, "format " + path.string());
    undo.commit();
}

} // namespace banger::ext4
