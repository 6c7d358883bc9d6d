#pragma once

#include "daemon/oci/image_source.hpp"

#include <filesystem>
#include <string>

namespace banger::oci {

/// An image in a directory of the OCI image layout (image-spec, image-layout.md). Its blobs are
/// read where they are.
class OciDirectory final : public ImageSource {
public:
    explicit OciDirectory(OciDirectoryReference reference);

    const ResolvedImage &image() const override { return image_; }
    BlobReader wait_for_layer(std::size_t index) override;

private:
    ResolvedImage resolve() const;
    Descriptor select(const ImageIndex &index) const;
    BlobReader open(const Descriptor &blob, std::string what) const;

    OciDirectoryReference reference_;
    std::string what_;
    ResolvedImage image_;
};

} // namespace banger::oci
