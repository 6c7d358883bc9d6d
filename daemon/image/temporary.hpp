#pragma once

#include <cstdint>
#include <filesystem>

namespace banger::image {

/// A new directory tmp.XXXXXX in `parent`; what a killed bangerd leaves of them goes at the next
/// start. Throws Error.
std::filesystem::path make_temporary_directory(const std::filesystem::path &parent);

/// What the file takes on the disk, without its holes; 0 if it is not there.
std::uint64_t disk_bytes_of(const std::filesystem::path &file);

} // namespace banger::image
