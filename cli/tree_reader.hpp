#pragma once

#include "base/unique_fd.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace banger::cli {

/// Reads files below one directory by relative path and never follows a symbolic link on the way,
/// as git has it: a tracked file whose directory has become a link is no longer there, and what the
/// link points to is none of the repository's.
class TreeReader {
public:
    /// Throws Error.
    explicit TreeReader(const std::filesystem::path &root);

    /// As lstat(2); none when there is nothing (any more). Throws Error for other failures.
    std::optional<struct stat> stat(const std::string &path);
    /// Throws Error.
    UniqueFd open(const std::string &path);
    std::string read_link(const std::string &path);

private:
    // The directory that holds `path`, -1 if there is none; it stays open for the next call.
    int parent_of(std::string_view path);

    UniqueFd root_;
    std::string last_directory_;
    UniqueFd last_;
};

} // namespace banger::cli
