#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace banger::bundle {

enum class Kind { Image, Kernel };
/// "image", "kernel"
std::string_view to_string(Kind kind) noexcept;

/// The name of the manifest in a bundle: its first member.
constexpr std::string_view manifest_name = "manifest.json";
constexpr std::size_t max_manifest_bytes = 1U << 20U;
/// Of the file system of an image.
constexpr std::uint64_t max_rootfs_bytes = 64ULL << 30U;

/// A file of a bundle beside the manifest.
struct Member {
    std::string path;       ///< "rootfs.ext4", "boot-modules/ext4.ko"
    std::uint64_t size = 0; ///< bytes, holes included
    std::string sha256;     ///< 64 hexadecimal digits
};

/// What a bundle says of itself, format 1 (docs/image-catalog.md).
struct Manifest {
    Kind kind = Kind::Image;
    std::vector<Member> members;
    /// What else is known of the image or kernel: an object of words, lists of words and booleans.
    nlohmann::json about = nlohmann::json::object();
};

/// Throws Error{ImageCorrupt} that names the key or the member: a member that a bundle of its kind
/// cannot have, one that is too large, one that is missing.
Manifest parse_manifest(std::string_view text, Kind expected);

/// Equal manifests give equal bytes.
std::string to_json(const Manifest &manifest);

} // namespace banger::bundle
