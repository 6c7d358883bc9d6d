#pragma once

#include "daemon/image/worker/report.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace banger::image {

/// A file that a recipe names by URL, on its way into the image.
struct WantedPart {
    std::string name;
    std::string url; ///< http, https or file
    std::string sha256;
    std::uint64_t size = 0;     ///< bytes; 0: not told
    std::filesystem::path path; ///< in the image, absolute
    std::uint32_t mode = 0644;
    /// It is the key of the apt source that these lines of deb822(5) describe, all but Signed-By;
    /// it has no path then.
    std::string apt_source;
};

struct PartFetch {
    std::filesystem::path directory;
    std::vector<WantedPart> parts;
};

/// Makes of each part an archive directory/NAME.tar, to be unpacked at the image's root as it is;
/// of a key also directory/NAME.asc or NAME.gpg. What cannot be fetched, or is not what its sha256
/// says, leaves nothing and does not stop the others. The result is {"parts":[…]}, in their order:
/// {"error":{"code":…,"message":…}}, or {"key":PATH} for a key, or {}.
void fetch_parts(const PartFetch &wanted, Report &report);

} // namespace banger::image
