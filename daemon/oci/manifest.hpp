#pragma once

#include "daemon/oci/descriptor.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The JSON documents of an image: OCI image-spec 1.1 (image-index.md, manifest.md, config.md) and
/// Docker's "image manifest version 2, schema 2". All of it comes from strangers.
namespace banger::oci {

constexpr std::size_t max_manifest_bytes = 4U << 20U;
constexpr std::size_t max_config_bytes = 8U << 20U;
constexpr std::size_t max_layers = 500;

struct Platform {
    std::string os;
    std::string architecture;
    std::string variant;
};

struct ImageIndex {
    struct Entry {
        Descriptor manifest;
        Platform platform; ///< all empty where the index says nothing
        std::string tag;   ///< "org.opencontainers.image.ref.name", of an image layout
    };
    std::vector<Entry> entries;
};

struct ImageManifest {
    Descriptor config;
    std::vector<Descriptor> layers; ///< the lowest first; tar, plain or with gzip or zstd
};

struct ImageConfig {
    std::vector<std::string> environment; ///< NAME=VALUE
    std::string working_directory;        ///< empty: "/"
    std::string user;                     ///< user[:group], names or numbers; empty: root
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;
    std::vector<Digest> diff_ids; ///< of the uncompressed layers, the lowest first
    std::string json;             ///< as it was fetched
};

/// The values for an Accept header: what parse_manifest() understands.
const std::vector<std::string> &manifest_media_types();

/// `media_type` is the Content-Type of the answer, may be empty. `what` names the document in
/// messages. Throws Error: ImageCorrupt for what is malformed; Unsupported, with the media type,
/// for kinds of images and layers that banger does not take; LimitsExceeded.
std::variant<ImageIndex, ImageManifest>
parse_manifest(std::string_view json, std::string_view media_type, std::string_view what);

/// Throws as parse_manifest(), and Error{Unsupported} when the configuration is of an image for
/// another platform than linux/amd64.
ImageConfig parse_config(std::string_view json, std::string_view what);

/// The image for linux/amd64; an only entry without a platform will do. Throws Error{Unsupported}
/// that lists the platforms there are.
const Descriptor &select_platform(const ImageIndex &index, std::string_view what);

} // namespace banger::oci
