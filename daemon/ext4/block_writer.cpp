#include "daemon/ext4/block_writer.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace banger::ext4 {
namespace {

constexpr std::uint64_t buffer_blocks = 1024;
constexpr std::uint64_t descriptor_size = 64;
/// So that the kernel's flusher works while more is being read.
constexpr std::uint64_t writeback_step = 16U << 20U;

bool is_power_of(std::uint64_t number, std::uint64_t base) noexcept {
    while (number % base == 0) {
        number /= base;
    }
    return number == 1;
}

} // namespace

bool group_has_backup(std::uint64_t group) noexcept {
    return group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

void write_at(int fd, std::uint64_t offset, std::span<const std::byte> data) {
    while (!data.empty()) {
        const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            throw_errno("write the file system");
        }
        offset += static_cast<std::uint64_t>(n);
        data = data.subspan(static_cast<std::size_t>(n));
    }
}

void erase_blocks(int fd, const Run &run) {
    int result = 0;
    do {
        result = ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             static_cast<off_t>(run.start * block_size),
                             static_cast<off_t>(run.length * block_size));
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return;
    }
    if (errno != EOPNOTSUPP) {
        throw_errno("take removed files out of the file system");
    }
    const Block zeros{};
    for (std::uint64_t i = 0; i < run.length; ++i) {
        write_at(fd, (run.start + i) * block_size, zeros);
    }
}

BlockWriter::BlockWriter(int fd, std::uint64_t max_blocks, bool start_writeback)
    : fd_(fd), max_blocks_(max_blocks), start_writeback_(start_writeback),
      buffer_(new std::byte[buffer_blocks * block_size]) {
    const std::uint64_t groups = (max_blocks + blocks_per_group - 1) / blocks_per_group;
    descriptor_blocks_ = 1 + (groups * descriptor_size + block_size - 1) / block_size;
    skip_reserved();
}

void BlockWriter::skip_reserved() {
    std::uint64_t group = next_ / blocks_per_group;
    if (group_has_backup(group)) {
        const std::uint64_t from = group * blocks_per_group;
        next_ = std::max(next_, from + descriptor_blocks_);
    }
    do {
        ++group;
    } while (!group_has_backup(group));
    reserved_from_ = group * blocks_per_group;
}

BlockWriter::Room BlockWriter::next(std::uint64_t wanted) {
    if (next_ == reserved_from_) {
        flush();
        skip_reserved();
    }
    if (buffered_ == buffer_blocks) {
        flush();
    }
    if (next_ >= max_blocks_) {
        fail(ErrorCode::LimitsExceeded, "the content does not fit into a file system of {} MiB",
             max_blocks_ * block_size >> 20U);
    }
    if (buffered_ == 0) {
        buffer_start_ = next_;
    }
    const std::uint64_t count =
        std::min({wanted, buffer_blocks - buffered_, reserved_from_ - next_, max_blocks_ - next_});
    Room room{next_, {buffer_.get() + buffered_ * block_size, count * block_size}};
    if (!given_.empty() && given_.back().start + given_.back().length == next_) {
        given_.back().length += count;
    } else {
        given_.push_back({next_, count});
    }
    buffered_ += count;
    next_ += count;
    return room;
}

std::uint64_t BlockWriter::reserve(std::uint64_t count) {
    flush();
    if (next_ == reserved_from_) {
        skip_reserved();
    }
    while (reserved_from_ - next_ < count) {
        next_ = reserved_from_;
        skip_reserved();
        if (next_ >= max_blocks_) {
            fail(ErrorCode::LimitsExceeded, "no {} blocks in one piece below the limit", count);
        }
    }
    const std::uint64_t start = next_;
    next_ += count;
    return start;
}

void BlockWriter::flush() {
    if (buffered_ == 0) {
        return;
    }
    const std::uint64_t end = (buffer_start_ + buffered_) * block_size;
    write_at(fd_, buffer_start_ * block_size, {buffer_.get(), buffered_ * block_size});
    buffered_ = 0;
    if (start_writeback_ && end >= written_back_ + writeback_step) {
        // Advice only: fsync(2) at the end is what counts.
        ::sync_file_range(fd_, static_cast<off_t>(written_back_),
                          static_cast<off_t>(end - written_back_), SYNC_FILE_RANGE_WRITE);
        written_back_ = end;
    }
}

} // namespace banger::ext4
