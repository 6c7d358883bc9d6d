#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>

namespace banger::image {

/// What tells, without reading it, that a file is still the one that was read: any write changes
/// the time of its inode (inode(7)).
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0; ///< since the epoch
    std::int64_t changed_ns = 0;

    bool operator==(const FileIdentity &) const = default;
};

/// Throws Error.
FileIdentity identity_of(int fd);
FileIdentity identity_of(const std::filesystem::path &file);

nlohmann::json to_json(const FileIdentity &identity);
/// Throws nlohmann::json::exception.
FileIdentity file_identity_from(const nlohmann::json &json);

} // namespace banger::image
