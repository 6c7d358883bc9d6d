#pragma once

#include "daemon/oci/blob_reader.hpp"
#include "daemon/oci/manifest.hpp"
#include "daemon/oci/reference.hpp"
#include "daemon/oci/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace banger::oci {

struct ResolvedImage {
    /// Of the image manifest; of the configuration, which is Docker's image ID, for a
    /// docker-archive.
    Digest manifest_digest;
    ImageConfig config;
    /// The lowest first, as many as config.diff_ids.
    std::vector<Descriptor> layers;
};

/// An image whose layers can be read, wherever it comes from. Blocks; one thread at a time.
class ImageSource {
public:
    virtual ~ImageSource() = default;

    virtual const ResolvedImage &image() const = 0;
    /// Of its layers, which a registry has and the cache has not.
    virtual std::uint64_t bytes_to_fetch() const { return 0; }
    /// Waits until the layer is there, while later ones are still on their way; the first call
    /// starts the download. May be called again for the same layer. Throws Error: the first that
    /// the download met, also if it was with another layer.
    virtual BlobReader wait_for_layer(std::size_t index) = 0;
};

/// Resolves the reference: manifest and configuration are there then, not yet the layers of a
/// registry. Throws Error that names the reference: NotFound, NotAuthorized, NetworkUnavailable,
/// ImageCorrupt, Unsupported, LimitsExceeded, DiskFull.
std::unique_ptr<ImageSource> open_source(const Reference &reference, const Settings &settings);

} // namespace banger::oci
