#pragma once

#include <cstdint>
#include <filesystem>

namespace banger::image {

/// What the file takes on the disk, without its holes; 0 if it is not there.
std::uint64_t disk_bytes_of(const std::filesystem::path &file);

} // namespace banger::image
