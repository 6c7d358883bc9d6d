#pragma once

#include "daemon/image/registry.hpp"

#include <string>
#include <string_view>

namespace banger::image {

/// manifest.json of an image, format 1.
std::string to_json(const Image &image);
/// `directory` is where it was found. Throws Error{ImageCorrupt} that names what is wrong.
Image image_from_json(std::string_view text, const std::filesystem::path &directory);

/// The file of a name.
std::string to_json(const NameEntry &entry);
/// Takes a bare digest, too, as 0.1 wrote it: source and kernel are the image's then, and empty
/// here. Throws Error{ImageCorrupt}.
NameEntry name_entry_from(std::string_view text);

/// 64 lower-case hexadecimal digits.
bool is_digest(std::string_view text) noexcept;

} // namespace banger::image
