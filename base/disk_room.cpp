#include "base/disk_room.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <limits>
#include <map>

namespace banger {

std::optional<std::string> missing_room(std::span<const NeededRoom> needed) {
    std::map<dev_t, NeededRoom> by_file_system;
    for (const auto &one : needed) {
        struct stat status {};
        if (::stat(one.where.c_str(), &status) != 0) {
            continue;
        }
        auto &sum =
            by_file_system.try_emplace(status.st_dev, NeededRoom{one.where, 0}).first->second;
        const auto most = std::numeric_limits<std::uint64_t>::max();
        sum.bytes = one.bytes > most - sum.bytes ? most : sum.bytes + one.bytes;
    }
    for (const auto &[device, room] : by_file_system) {
        std::error_code unknown;
        const auto space = std::filesystem::space(room.where, unknown);
        if (!unknown && space.available < room.bytes) {
            return fmt::format("needs about {} in {}, which has {}: {} are missing",
                               format_byte_size(room.bytes), room.where.string(),
                               format_byte_size(space.available),
                               format_byte_size(room.bytes - space.available));
        }
    }
    return std::nullopt;
}

void require_room(std::string_view what, std::span<const NeededRoom> needed) {
    if (const auto missing = missing_room(needed)) {
        fail(ErrorCode::DiskFull, "{} {}", what, *missing);
    }
}

} // namespace banger
