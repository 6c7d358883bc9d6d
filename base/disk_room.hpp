#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace banger {

struct NeededRoom {
    std::filesystem::path where; ///< a directory that exists
    std::uint64_t bytes;
};

/// What lies on one file system is taken together. "needs about 500 MiB in /var/tmp, which has 300
/// MiB: 200 MiB are missing", of the first that has too little; nullopt where there is room enough,
/// or nobody knows.
std::optional<std::string> missing_room(std::span<const NeededRoom> needed);
/// Throws Error{DiskFull}, "`what` needs about …", where missing_room() has something to say.
void require_room(std::string_view what, std::span<const NeededRoom> needed);

} // namespace banger
