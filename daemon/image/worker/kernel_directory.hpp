#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>

namespace banger::image {

/// Examines the files of a kernel as assemble_kernel() writes them, whoever put them there:
/// {"release", "digest", "size", "has_modules", "has_initrd"}. The digest is the sha256 of what
/// `sha256sum` prints for all of them, by name; the size is that on the disk, in bytes. Throws
/// Error: ImageCorrupt or Unsupported for what no VM could start from.
nlohmann::json describe_kernel(const std::filesystem::path &directory);

/// Throws Error{ImageCorrupt} where the bytes are no initramfs: neither a cpio nor a compressed
/// file.
void require_initrd(std::string_view content, std::string_view what);

} // namespace banger::image
