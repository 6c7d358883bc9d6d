#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace banger::ext4 {

/// Makes a new sparse file of `size` bytes (at least 16 MiB) that holds an empty ext4 with a
/// journal, as mke2fs would: for a disk that a guest writes to, and that can grow online. Nothing
/// but its metadata takes room on the disk. Throws Error; then there is no file.
void format_empty_disk(const std::filesystem::path &path, std::uint64_t size,
                       std::string_view label);

} // namespace banger::ext4
