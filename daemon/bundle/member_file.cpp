#include "daemon/bundle/member_file.hpp"

#include "base/error.hpp"
#include "daemon/bundle/zeros.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace banger::bundle {
namespace {

/// Fewer where the file ends.
std::size_t read_beginning(int fd, std::span<std::byte> bytes) {
    ssize_t n = 0;
    do {
        n = ::pread(fd, bytes.data(), bytes.size(), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        throw_errno("read what was unpacked");
    }
    return static_cast<std::size_t>(n);
}

void write_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno != EINTR) {
            throw_errno("write what is unpacked");
        }
        if (n > 0) {
            offset += static_cast<std::uint64_t>(n);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
    }
}

} // namespace

MemberFile::MemberFile(UniqueFd fd, Member member)
    : fd_(std::move(fd)), member_(std::move(member)) {}

void MemberFile::skip_to(std::uint64_t offset) {
    while (end_ < offset) {
        const auto n =
            static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), offset - end_));
        sum_.update(std::span{zeros}.first(n));
        end_ += n;
    }
}

void MemberFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset < end_) {
        fail(ErrorCode::ImageCorrupt, "its pieces overlap");
    }
    if (offset > member_.size || bytes.size() > member_.size - offset) {
        fail(ErrorCode::ImageCorrupt, "it is larger than the {} bytes that {} says", member_.size,
             manifest_name);
    }
    skip_to(offset);
    sum_.update(bytes);
    end_ += bytes.size();
    while (!bytes.empty()) {
        const auto size = std::min<std::size_t>(bytes.size(), zeros.size() - offset % zeros.size());
        write_data(offset, bytes.first(size));
        bytes = bytes.subspan(size);
        offset += size;
    }
}

void MemberFile::write_data(std::uint64_t offset, std::span<const std::byte> bytes) const {
    const auto block_at = [&](std::size_t position) {
        const std::size_t rest = block_size - (offset + position) % block_size;
        return bytes.subspan(position, std::min(rest, bytes.size() - position));
    };
    std::size_t position = 0;
    while (position < bytes.size()) {
        if (is_zero(block_at(position))) {
            position += block_at(position).size();
            continue;
        }
        std::size_t end = position;
        while (end < bytes.size() && !is_zero(block_at(end))) {
            end += block_at(end).size();
        }
        write_at(fd_.get(), offset + position, bytes.subspan(position, end - position));
        position = end;
    }
}

void MemberFile::finish() {
    skip_to(member_.size);
    if (sum_.hex_digest() != member_.sha256) {
        fail(ErrorCode::ImageCorrupt, "its sha256 is not the one that {} says", manifest_name);
    }
    if (::ftruncate(fd_.get(), static_cast<off_t>(member_.size)) != 0) {
        throw_errno("write " + member_.path);
    }
    check_kind();
}

void MemberFile::check_kind() const {
    std::array<std::byte, 2048> beginning{};
    const std::size_t n = read_beginning(fd_.get(), beginning);
    if (member_.path.ends_with(".ext4")) {
        constexpr std::size_t magic_offset = 1024 + 0x38; // of the superblock, ext4's own ones
        if (n < beginning.size() || beginning[magic_offset] != std::byte{0x53} ||
            beginning[magic_offset + 1] != std::byte{0xef}) {
            fail(ErrorCode::ImageCorrupt, "it is no ext4 file system");
        }
    } else if (member_.path == "vmlinux" &&
               (n < sizeof(Elf64_Ehdr) || std::memcmp(beginning.data(), ELFMAG, SELFMAG) != 0)) {
        fail(ErrorCode::ImageCorrupt, "it is no ELF file");
    }
}

} // namespace banger::bundle
