#pragma once

#include "daemon/ext4/format.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace banger::ext4 {

/// Whether this group holds a copy of superblock and group descriptors (sparse_super: 0, 1 and the
/// powers of 3, 5, 7).
bool group_has_backup(std::uint64_t group) noexcept;

/// Gives out the blocks of the disk in ascending order, and writes them as one sequential stream of
/// large writes. Leaves out the places of superblocks and descriptors.
class BlockWriter {
public:
    /// `max_blocks` decides how much room is left for descriptors.
    BlockWriter(int fd, std::uint64_t max_blocks, bool start_writeback);

    struct Room {
        std::uint64_t block = 0;     ///< of the disk
        std::span<std::byte> memory; ///< one or more blocks, of unspecified content; to be filled
                                     ///< before the next call
    };
    /// The next blocks, at least one and at most `wanted`. Throws Error{LimitsExceeded}, or what
    /// writing throws.
    Room next(std::uint64_t wanted);

    /// `count` blocks in one piece that the caller writes itself, or leaves as holes.
    std::uint64_t reserve(std::uint64_t count);

    void flush();
    /// What next() has given out, in order.
    const std::vector<Run> &given() const noexcept { return given_; }
    /// The first block that nothing lies at or behind.
    std::uint64_t end() const noexcept { return next_; }

private:
    /// Moves next_ over a place of descriptors; sets reserved_from_ to the next one.
    void skip_reserved();

    int fd_;
    std::uint64_t max_blocks_;
    bool start_writeback_;
    std::uint64_t descriptor_blocks_;
    std::uint64_t next_ = 0;
    std::uint64_t reserved_from_ = 0;
    std::uint64_t written_back_ = 0;
    std::vector<Run> given_;
    std::unique_ptr<std::byte[]> buffer_;
    std::uint64_t buffer_start_ = 0; ///< block of the buffer's first byte
    std::uint64_t buffered_ = 0;     ///< blocks in it
};

/// pwrite(2) to the end. `what` as for throw_errno().
void write_at(int fd, std::uint64_t offset, std::span<const std::byte> data);

/// Makes them a hole, or writes zeros where the disk's file system has no holes.
void erase_blocks(int fd, const Run &run);

} // namespace banger::ext4
