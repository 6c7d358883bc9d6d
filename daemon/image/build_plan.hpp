#pragma once

#include "daemon/catalog/recipe.hpp"
#include "daemon/image/registry.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace banger::image {

/// What is settled before mmdebstrap begins. All its files are there, and are what they should be.
struct BuildPlan {
    std::string suite;
    std::string variant;
    std::vector<std::string> packages;
    std::vector<std::string> source_lines; ///< Debian's own
    std::filesystem::path apt_settings;
    std::vector<std::filesystem::path> lists;  ///< of packages, of all archives
    std::vector<std::filesystem::path> before; ///< tar archives for the root, before any package
    std::vector<std::filesystem::path> after;  ///< and after all of them
    /// Seconds since the epoch, of the newest archive; 0: not known. No file of the image is newer.
    std::int64_t date = 0;
    std::vector<Part> parts;
};

/// The packages of the recipe when only these of its sources are in reach: without what they
/// replace.
std::vector<std::string> packages_of(const catalog::Recipe &recipe,
                                     const std::vector<catalog::AptSource> &reached,
                                     const std::vector<std::string> &extra_packages);

/// As a line of a sources.list(5), signed by `key`.
std::string source_line(const catalog::AptSource &source, const std::filesystem::path &key);
/// As lines of deb822(5), all but Signed-By.
std::string source_stanza(const catalog::AptSource &source);

} // namespace banger::image
