#include "daemon/oci/assemble.hpp"

#include "base/error.hpp"

namespace banger::oci {

ResolvedImage assemble(Digest manifest_digest, ImageManifest manifest, BlobReader config,
                       const std::string &what) {
    ResolvedImage image{
        std::move(manifest_digest),
        parse_config(config.read_all(max_config_bytes), "the configuration of " + what),
        std::move(manifest.layers)};
    if (image.layers.size() != image.config.diff_ids.size()) {
        fail(ErrorCode::ImageCorrupt, "{} has {} layers, but {} in its configuration", what,
             image.layers.size(), image.config.diff_ids.size());
    }
    return image;
}

std::string layer_name(std::size_t index, const std::string &what) {
    return fmt::format("layer {} of {}", index + 1, what);
}

} // namespace banger::oci
