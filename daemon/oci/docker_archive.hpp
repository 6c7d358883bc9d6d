#pragma once

#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/image_source.hpp"

#include <map>
#include <string>
#include <vector>

namespace banger::oci {

/// An image in a file of `docker save`, compressed or not: manifest.json with the names of the
/// configuration and the layers, in either of its orders (one directory per layer, or blobs/sha256
/// as of Docker 25). The layers are copied to the cache.
class DockerArchive final : public ImageSource {
public:
    DockerArchive(DockerArchiveReference reference, const Settings &settings);

    const ResolvedImage &image() const override { return image_; }
    BlobReader wait_for_layer(std::size_t index) override;

private:
    struct Contents {
        std::string config;
        std::vector<std::string> layers;
    };
    Contents select(const std::string &manifest) const;
    ResolvedImage resolve() const;
    /// `place` is a name in the archive.
    std::string read_config(const std::string &place) const;
    void copy_layers(const std::map<std::string, Digest> &layers) const;

    DockerArchiveReference reference_;
    std::string what_;
    BlobCache cache_;
    ResolvedImage image_;
};

} // namespace banger::oci
