#pragma once

#include "daemon/oci/descriptor.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace banger::oci {

/// An image in a registry, complete as distribution/reference makes it: "debian" is
/// docker.io/library/debian:latest.
struct RegistryReference {
    std::string registry;   ///< host[:port] as users write it: "docker.io", "localhost:5000"
    std::string repository; ///< "library/debian"
    std::string tag;        ///< empty where there is a digest alone
    /// Where there is one, it decides and the tag is for people.
    std::optional<Digest> digest;

    /// What comes after /v2/NAME/manifests/ (distribution-spec).
    std::string tag_or_digest() const { return digest ? digest->str() : tag; }
};

/// "oci:DIR[:TAG]": a directory in OCI image layout. The first ':' ends DIR, as skopeo has it.
struct OciDirectoryReference {
    std::filesystem::path directory;
    std::string tag; ///< empty: the only one
};

/// "docker-archive:FILE[:NAME]": what `docker save` wrote. The first ':' ends FILE.
struct DockerArchiveReference {
    std::filesystem::path file;
    /// A complete name, "docker.io/library/debian:latest"; empty: the only one.
    std::string name;
};

using Reference = std::variant<RegistryReference, OciDirectoryReference, DockerArchiveReference>;

/// Throws Error{InvalidArgument} that quotes the text and says what is allowed.
Reference parse_reference(std::string_view text);
/// A registry's reference alone: no "oci:" and no "docker-archive:".
RegistryReference parse_registry_reference(std::string_view text);

/// The complete form, which parse_reference() takes again.
std::string to_string(const Reference &reference);

/// A name for the image in banger: "img-1.2" for ghcr.io/org/img:1.2, "img-0123456789ab" for a
/// digest. Always a valid ArtifactName (base/names.hpp).
std::string default_image_name(const Reference &reference);

} // namespace banger::oci
