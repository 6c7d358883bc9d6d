#pragma once

#include "daemon/bundle/manifest.hpp"
#include "daemon/catalog/recipe.hpp"
#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

struct BundleFetch {
    bundle::Kind kind = bundle::Kind::Image;
    catalog::RemoteFile file;
    std::filesystem::path cache;  ///< of blobs
    std::filesystem::path output; ///< a directory that has none of the bundle's files
};

/// Unpacks a bundle while it is downloaded. Result: {"size","digest","run","packages"} of an image,
/// {"size","digest","about"} of a kernel. Throws Error; what was written may be there still.
void fetch_bundle(const BundleFetch &fetch, Report &report);

struct BundlePacking {
    bundle::Kind kind = bundle::Kind::Image;
    std::filesystem::path directory; ///< of an image or a kernel, with its manifest.json
    std::filesystem::path output;
    bool replace = false; ///< also where `output` is there
};

/// Result: {"size","sha256"} of the bundle. Throws Error; then `output` is as it was.
void pack_bundle(const BundlePacking &packing, Report &report);

} // namespace banger::image
