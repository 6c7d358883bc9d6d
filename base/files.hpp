#pragma once

#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace banger {

/// open(2) with O_CLOEXEC added. Throws Error that names the path.
UniqueFd open_file(const std::filesystem::path &path, int flags, mode_t mode = 0600);

/// The whole file, up to `limit` bytes; a longer file is an Error{LimitsExceeded}. Throws Error.
std::string read_file(const std::filesystem::path &path, std::size_t limit = 16U << 20U);

/// Writes all of `data`, over short writes and EINTR. Throws Error that names `what`.
void write_all(int fd, std::span<const std::byte> data, std::string_view what);
void write_all(int fd, std::string_view data, std::string_view what);

/// Replaces `path` in one step: temporary file beside it, fsync, rename. Throws Error; then nothing
/// has changed.
void write_file_atomically(const std::filesystem::path &path, std::string_view data,
                           mode_t mode = 0600);

/// Makes the directory and its parents with mode 0700 from birth. Throws Error.
void make_private_directories(const std::filesystem::path &path);

} // namespace banger
