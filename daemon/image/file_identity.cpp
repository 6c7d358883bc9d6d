#include "daemon/image/file_identity.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace banger::image {
namespace {

std::int64_t nanoseconds(const timespec &time) {
    constexpr std::int64_t per_second = 1'000'000'000;
    return std::int64_t{time.tv_sec} * per_second + time.tv_nsec;
}

FileIdentity identity_from(const struct stat &status) {
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .size = static_cast<std::uint64_t>(status.st_size),
            .modified_ns = nanoseconds(status.st_mtim),
            .changed_ns = nanoseconds(status.st_ctim)};
}

} // namespace

FileIdentity identity_of(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw_errno("look at a file");
    }
    return identity_from(status);
}

FileIdentity identity_of(const std::filesystem::path &file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        throw_errno("look at " + file.string());
    }
    return identity_from(status);
}

nlohmann::json to_json(const FileIdentity &identity) {
    return {{"device", identity.device},
            {"inode", identity.inode},
            {"size", identity.size},
            {"modified_ns", identity.modified_ns},
            {"changed_ns", identity.changed_ns}};
}

FileIdentity file_identity_from(const nlohmann::json &json) {
    return {.device = json.at("device"),
            .inode = json.at("inode"),
            .size = json.at("size"),
            .modified_ns = json.at("modified_ns"),
            .changed_ns = json.at("changed_ns")};
}

} // namespace banger::image
