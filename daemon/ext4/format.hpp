#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

/// Sizes and small types that all parts of the writer share. The on-disk format is that of
/// https://docs.kernel.org/filesystems/ext4/.
namespace banger::ext4 {

// The structures of ext2_fs.h are written as they are in memory.
static_assert(std::endian::native == std::endian::little);

constexpr std::size_t block_size = 4096;
constexpr std::size_t inode_size = 256;
/// Part of an inode's second half that holds fields; xattrs follow it.
constexpr std::size_t extra_isize = 32;
constexpr std::uint32_t blocks_per_group = 32768;
/// From an extent's 16-bit length, whose upper half means «unwritten».
constexpr std::uint32_t max_extent_blocks = 32768;

using InodeNumber = std::uint32_t;
constexpr InodeNumber root_inode = 2;
constexpr InodeNumber first_free_inode = 11;

using Uuid = std::array<std::uint8_t, 16>;
using Block = std::array<std::byte, block_size>;

/// Type of the inode as a directory entry tells it (EXT2_FT_…).
enum class EntryType : std::uint8_t {
    Unknown = 0,
    Regular = 1,
    Directory = 2,
    CharacterDevice = 3,
    BlockDevice = 4,
    Fifo = 5,
    Socket = 6,
    Symlink = 7,
};

/// `length` blocks of a file from block `logical` on lie at block `physical` of the disk.
struct Extent {
    std::uint32_t logical = 0;
    std::uint32_t length = 0;
    std::uint64_t physical = 0;
};

/// Blocks of the disk.
struct Run {
    std::uint64_t start = 0;
    std::uint64_t length = 0;
};

/// Copies a trivial value to `offset` of a buffer; the caller has checked the room.
template <typename T>
void put(std::span<std::byte> buffer, std::size_t offset, const T &value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(buffer.subspan(offset, sizeof value).data(), &value, sizeof value);
}

} // namespace banger::ext4
