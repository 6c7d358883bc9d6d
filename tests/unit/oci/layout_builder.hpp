#pragma once

#include "daemon/oci/descriptor.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace banger::oci::test {

/// Writes an OCI image layout whose layers are any bytes.
class LayoutBuilder {
public:
    explicit LayoutBuilder(std::filesystem::path directory);

    const std::filesystem::path &directory() const { return directory_; }
    std::filesystem::path path_of(const Digest &digest) const;

    Descriptor add_blob(const std::string &content, const std::string &media_type);
    /// Configuration and manifest of an image.
    Descriptor add_image(const std::vector<std::string> &layers,
                         const std::string &architecture = "amd64");
    /// An index of images and their platforms, "linux/arm64".
    Descriptor add_index(const std::vector<std::pair<Descriptor, std::string>> &images);
    /// Writes index.json anew.
    void tag(const Descriptor &manifest, const std::string &name);

private:
    std::filesystem::path directory_;
    std::vector<std::pair<Descriptor, std::string>> tags_;
};

/// Bytes that differ from place to place.
std::string some_bytes(std::size_t count, unsigned seed);

} // namespace banger::oci::test
