#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace banger::ext4 {

/// Seconds since the epoch and nanoseconds (0 to 999,999,999). ext4 holds 1901 to 2446; what lies
/// outside is moved to the nearest end.
struct Time {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;

    // clang-tidy 14 takes the 0 of a defaulted comparison for a pointer.
    auto operator<=>(const Time &) const = default; // NOLINT(modernize-use-nullptr)
};

/// An extended attribute under its whole name ("security.capability"). POSIX ACLs go under
/// "system.posix_acl_access" and "system.posix_acl_default" in the form of Linux' xattr (acl(5),
/// version 2).
struct Xattr {
    std::string name;
    std::string value;

    bool operator==(const Xattr &) const = default;
};

/// What every entry has, whatever its type.
struct Metadata {
    std::uint16_t permissions = 0755; ///< the lower 12 bits of st_mode
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    Time modified;
    std::optional<Time> accessed; ///< none: as modified
    std::vector<Xattr> xattrs;
};

} // namespace banger::ext4
