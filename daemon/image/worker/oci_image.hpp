#pragma once

#include "daemon/image/worker/report.hpp"
#include "daemon/oci/settings.hpp"

#include <filesystem>
#include <string>

namespace banger::image {

struct OciImage {
    std::string reference; ///< as oci::parse_reference() takes it
    /// Digest of the manifest that is there already: nothing is written where it is still that one.
    std::string known;
    std::filesystem::path output;
    std::uint64_t max_bytes = 0; ///< of the file system
    oci::Settings registries;
};

/// Applies the layers of an OCI image, each as soon as it is there, into a new ext4 image. Result:
/// {"size","digest","manifest","run"}, or {"unchanged": true}. Throws Error.
void write_oci_image(const OciImage &wanted, Report &report);

} // namespace banger::image
