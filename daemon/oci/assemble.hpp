#pragma once

#include "daemon/oci/image_source.hpp"

#include <string>

namespace banger::oci {

/// Reads and parses the configuration. Throws Error{ImageCorrupt} also when manifest and
/// configuration differ in the number of layers.
ResolvedImage assemble(Digest manifest_digest, ImageManifest manifest, BlobReader config,
                       const std::string &what);

/// "layer 3 of docker.io/library/debian:latest", counted from 1
std::string layer_name(std::size_t index, const std::string &what);

} // namespace banger::oci
