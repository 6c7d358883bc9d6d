#include "daemon/image/worker/rootfs_file.hpp"

#include "base/byte_size.hpp"
#include "base/disk_room.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "daemon/ext4/libext2fs.hpp"
#include "daemon/image/file_identity.hpp"
#include "daemon/image/worker/output_file.hpp"

#include <endian.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <vector>

namespace banger::image {
namespace {

constexpr std::size_t chunk = 1U << 20U;

/// Reads as much of `buffer` as there is at `offset`.
std::size_t read_at(int fd, std::uint64_t offset, std::span<std::byte> buffer,
                    const std::string &name) {
    std::size_t done = 0;
    while (done < buffer.size()) {
        const ssize_t n = ::pread(fd, buffer.data() + done, buffer.size() - done,
                                  static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            throw_errno("read " + name);
        }
        if (n == 0) {
            break;
        }
        done += static_cast<std::size_t>(n);
    }
    return done;
}

/// What a mount would find out only in the guest.
void check_superblock(int fd, std::uint64_t file_bytes, const std::string &name) {
    constexpr std::uint64_t at = 1024;
    constexpr std::string_view own_label = "banger-";
    ext2_super_block super{};
    if (read_at(fd, at, std::as_writable_bytes(std::span{&super, 1}), name) != sizeof super ||
        le16toh(super.s_magic) != EXT2_SUPER_MAGIC) {
        fail(ErrorCode::InvalidArgument,
             "{} holds no ext4 file system; a whole disk with partitions is none", name);
    }
    const std::uint32_t incompatible = le32toh(super.s_feature_incompat);
    if ((incompatible & EXT3_FEATURE_INCOMPAT_RECOVER) != 0) {
        fail(ErrorCode::InvalidArgument,
             "{} was not unmounted cleanly: run `e2fsck -fy {}`, or stop what has it mounted", name,
             name);
    }
    const std::uint64_t block_bytes = std::uint64_t{EXT2_MIN_BLOCK_SIZE}
                                      << std::min(le32toh(super.s_log_block_size), 6U);
    std::uint64_t blocks = le32toh(super.s_blocks_count);
    if ((incompatible & EXT4_FEATURE_INCOMPAT_64BIT) != 0) {
        blocks |= std::uint64_t{le32toh(super.s_blocks_count_hi)} << 32U;
    }
    if (blocks > file_bytes / block_bytes) {
        fail(ErrorCode::InvalidArgument, "{} is cut off: its file system has {}, the file {}", name,
             format_byte_size(blocks * block_bytes), format_byte_size(file_bytes));
    }
    const std::string_view label{reinterpret_cast<const char *>(super.s_volume_name),
                                 sizeof super.s_volume_name};
    if (label.starts_with(own_label) && !label.starts_with("banger-image")) {
        fail(
            ErrorCode::InvalidArgument,
            "{} carries the label {:?}, by which a guest knows banger's own disks: give it another "
            "with `e2label`",
            name, label.substr(0, label.find('\0')));
    }
}

/// Where data begins at or after `offset`; the file's end when there is none.
std::uint64_t next_data(int fd, std::uint64_t offset, std::uint64_t end) {
    const off_t found = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (found >= 0) {
        return std::min(static_cast<std::uint64_t>(found), end);
    }
    return errno == ENXIO ? end : offset; // no holes where they are not known
}

void write_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes,
              const std::string &name) {
    if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
        throw_errno("write " + name);
    }
    write_all(fd, bytes, name);
}

} // namespace

void take_rootfs_file(const RootfsFile &wanted, Report &report) {
    const std::string name = wanted.file.string();
    // A fifo would be waited for.
    const UniqueFd fd = open_file(wanted.file, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(ErrorCode::InvalidArgument, "{} is no regular file", name);
    }
    const FileIdentity identity = identity_of(fd.get());
    check_superblock(fd.get(), identity.size, name);
    std::optional<OutputFile> copy;
    if (wanted.copy) {
        constexpr std::uint64_t block = 512; // of stat(3type)
        const std::array room{NeededRoom{wanted.copy->parent_path(),
                                         static_cast<std::uint64_t>(status.st_blocks) * block}};
        require_room("a copy of " + name, room);
        copy.emplace(*wanted.copy);
        if (::ftruncate(copy->fd(), static_cast<off_t>(identity.size)) != 0) {
            throw_errno("write " + wanted.copy->string());
        }
    }
    Sha256 sum;
    std::vector<std::byte> buffer(chunk);
    const std::vector<std::byte> zeros(chunk);
    std::uint64_t offset = 0;
    while (offset < identity.size) {
        const std::uint64_t data = next_data(fd.get(), offset, identity.size);
        for (; offset < data; offset += std::min<std::uint64_t>(chunk, data - offset)) {
            sum.update(std::span{zeros}.first(std::min<std::uint64_t>(chunk, data - offset)));
        }
        const std::size_t wanted_bytes = std::min<std::uint64_t>(chunk, identity.size - offset);
        const std::size_t n =
            read_at(fd.get(), offset, std::span{buffer}.first(wanted_bytes), name);
        if (n != wanted_bytes) {
            break;
        }
        const auto bytes = std::span<const std::byte>{buffer}.first(n);
        sum.update(bytes);
        if (copy && n > 0) {
            write_at(copy->fd(), offset, bytes, wanted.copy->string());
        }
        offset += n;
        report.bytes(offset, identity.size);
    }
    if (identity_of(fd.get()) != identity || identity_of(wanted.file) != identity) {
        fail(ErrorCode::InvalidState, "{} was written to while it was read: stop what uses it",
             name);
    }
    if (copy) {
        copy->publish();
    }
    report.result(
        {{"digest", sum.hex_digest()}, {"size", identity.size}, {"identity", to_json(identity)}});
}

} // namespace banger::image
