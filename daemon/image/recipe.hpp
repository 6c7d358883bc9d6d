#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace banger::image {

/// How an image is built from a Debian archive; a row of the catalog (docs/image-catalog.md).
struct Recipe {
    std::string_view name;        ///< "debian-bookworm"
    std::string_view description; ///< for `image list --available`
    std::string_view suite;       ///< "bookworm"
    std::string_view variant;     ///< of mmdebstrap(1): "minbase"
    std::string_view kernel;      ///< which kernel it boots with by default: "debian"
    std::span<const std::string_view> packages;
    std::uint64_t
        build_bytes; ///< of the disk, that the tree and the packages take while it is built, about
    std::uint64_t image_bytes; ///< that the image takes, about
};

/// All recipes, the default image's first.
std::span<const Recipe> recipes() noexcept;

/// nullptr when there is none of that name.
const Recipe *find_recipe(std::string_view name) noexcept;

} // namespace banger::image
