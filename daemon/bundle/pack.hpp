#pragma once

#include "daemon/bundle/manifest.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace banger::bundle {

/// What a catalog's entry says of a bundle.
struct Packed {
    std::uint64_t size = 0; ///< bytes
    std::string sha256;
};

using OnBytes = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// The files below `directory`, as members. Reads them whole. Throws Error.
Manifest describe(const std::filesystem::path &directory, Kind kind,
                  const std::vector<std::string> &paths, const OnBytes &on_bytes);

/// Writes a bundle to `fd`: a pax tar, by zstd. Equal members give equal bytes, wherever they lie,
/// and whatever holes they have there. Throws Error, also ImageCorrupt where a file has changed
/// since describe().
Packed pack(const std::filesystem::path &directory, const Manifest &manifest, int fd,
            const OnBytes &on_bytes);

} // namespace banger::bundle
