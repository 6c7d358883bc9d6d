#pragma once

#include "daemon/image/registry.hpp"

#include <string>
#include <string_view>

namespace banger::image {

/// manifest.json of an image, format 1.
std::string to_json(const Image &image);
/// `directory` is where it was found. Throws Error{ImageCorrupt} that names what is wrong.
Image image_from_json(std::string_view text, const std::filesystem::path &directory);

/// 64 lower-case hexadecimal digits.
bool is_digest(std::string_view text) noexcept;

} // namespace banger::image
