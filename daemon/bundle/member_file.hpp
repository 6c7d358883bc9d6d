#pragma once

#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "daemon/bundle/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace banger::bundle {

/// A member on its way into a new file, in ascending pieces. Zeros become holes.
class MemberFile {
public:
    /// `fd` is an empty file, to be read and written.
    MemberFile(UniqueFd fd, Member member);

    /// What lies between the pieces is zero. Throws Error{ImageCorrupt} where a piece lies before
    /// the end of the last one, or beyond the size that the manifest says.
    void write(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Throws Error{ImageCorrupt} where it is not what the manifest says, or by its path should be
    /// an ext4 file system or an ELF file, and is none.
    void finish();

private:
    void skip_to(std::uint64_t offset);
    void write_data(std::uint64_t offset, std::span<const std::byte> bytes) const;
    void check_kind() const;

    UniqueFd fd_;
    Member member_;
    std::uint64_t end_ = 0;
    Sha256 sum_;
};

} // namespace banger::bundle
