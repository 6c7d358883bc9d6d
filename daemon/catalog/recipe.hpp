#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace banger::catalog {

/// A file that is fetched and has exactly this content.
struct RemoteFile {
    std::string url;        ///< http, https or file
    std::string sha256;     ///< 64 hexadecimal digits
    std::uint64_t size = 0; ///< bytes; 0: not told
};

/// An apt archive beside Debian's own (sources.list(5)), and what is taken from it.
struct AptSource {
    std::string name; ///< "docker-ce": names its files in the image, and the part in messages
    std::string uri;
    std::string suite;
    std::vector<std::string> components;
    RemoteFile key; ///< OpenPGP, armoured or not: what the archive is signed with
    std::vector<std::string> packages;
    /// Packages of the recipe that are left out where these are put in.
    std::vector<std::string> replaces;
    bool optional = false; ///< an image without it is better than none
};

/// A single file that is put into the image.
struct ExtraFile {
    std::string name; ///< of the part in messages
    RemoteFile file;
    std::filesystem::path path; ///< absolute, in the image
    std::uint32_t mode = 0644;
    bool optional = false;
};

/// How an image is built from a Debian archive.
struct Recipe {
    std::string suite;   ///< "bookworm"
    std::string variant; ///< of mmdebstrap(1): "minbase"
    std::vector<std::string> packages;
    std::vector<AptSource> sources;
    std::vector<ExtraFile> files;
    /// Of the disk, that the tree and the packages take while it is built, about.
    std::uint64_t build_bytes = 0;
    std::uint64_t image_bytes = 0; ///< that the image takes, about
};

/// Throws Error{InvalidArgument} for what is not the name of a Debian package (deb-control(5)),
/// alone or with "=VERSION" or "/SUITE" as apt takes it.
void check_package(std::string_view package);

} // namespace banger::catalog
