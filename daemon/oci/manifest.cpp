#include "daemon/oci/manifest.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace banger::oci {
namespace {

using nlohmann::json;

constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";

constexpr std::array<std::string_view, 2> config_types{
    "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"};

constexpr std::array<std::string_view, 6> layer_types{
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd"};

constexpr std::uint64_t max_blob_bytes = std::uint64_t{1} << 40U;
constexpr int max_depth = 32;

bool is_one_of(std::string_view text, const auto &list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

// For messages: strangers' text neither fills the terminal nor steers it.
std::string shown(std::string_view text) {
    std::string result{text.substr(0, 100)};
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return result;
}

// Runs `read` with the parsed document; whatever does not fit its shape is ImageCorrupt.
template <typename Read>
auto with_document(std::string_view text, std::size_t limit, std::string_view what, Read read) {
    if (text.size() > limit) {
        fail(ErrorCode::LimitsExceeded, "{} is larger than {} MiB", what, limit >> 20U);
    }
    try {
        const json document =
            json::parse(text, [&](int depth, json::parse_event_t, const json &) -> bool {
                if (depth > max_depth) {
                    fail(ErrorCode::ImageCorrupt, "{} is nested more than {} deep", what,
                         max_depth);
                }
                return true;
            });
        if (!document.is_object()) {
            fail(ErrorCode::ImageCorrupt, "{} is not a JSON object", what);
        }
        return read(document);
    } catch (const json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "{} is damaged: {}", what, shown(error.what()));
    }
}

// Go's encoder writes null for what is empty.
const json *find(const json &object, const char *key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string string_of(const json &object, const char *key) {
    const json *value = find(object, key);
    return value == nullptr ? std::string() : value->get<std::string>();
}

std::vector<std::string> strings_of(const json &object, const char *key) {
    const json *value = find(object, key);
    return value == nullptr ? std::vector<std::string>() : value->get<std::vector<std::string>>();
}

Digest digest_of(const std::string &text, std::string_view what) {
    const auto digest = Digest::parse(text);
    if (!digest) {
        fail(ErrorCode::ImageCorrupt,
             "{} holds the digest '{}'; banger takes sha256: with 64 hexadecimal digits", what,
             shown(text));
    }
    return *digest;
}

Descriptor descriptor_of(const json &object, std::string_view what) {
    const json &size = object.at("size");
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > max_blob_bytes) {
        fail(ErrorCode::ImageCorrupt, "{} gives a blob a size that is not 0 to 1 TiB", what);
    }
    return {digest_of(object.at("digest").get<std::string>(), what), size.get<std::uint64_t>(),
            string_of(object, "mediaType")};
}

ImageIndex index_of(const json &document, std::string_view what) {
    ImageIndex index;
    for (const json &entry : document.at("manifests")) {
        ImageIndex::Entry parsed{descriptor_of(entry, what), {}, {}};
        if (const json *platform = find(entry, "platform")) {
            parsed.platform = {string_of(*platform, "os"), string_of(*platform, "architecture"),
                               string_of(*platform, "variant")};
        }
        if (const json *annotations = find(entry, "annotations")) {
            parsed.tag = string_of(*annotations, "org.opencontainers.image.ref.name");
        }
        index.entries.push_back(std::move(parsed));
    }
    return index;
}

void check_layer_type(const std::string &type, std::string_view what) {
    if (is_one_of(type, layer_types)) {
        return;
    }
    if (type.find("foreign") != std::string::npos ||
        type.find("nondistributable") != std::string::npos) {
        fail(ErrorCode::Unsupported,
             "{} has a layer that registries do not carry ({}); use an image without such layers",
             what, shown(type));
    }
    if (type.ends_with("+encrypted")) {
        fail(ErrorCode::Unsupported,
             "{} has an encrypted layer ({}); decrypt the image first, for example with skopeo "
             "copy --decryption-key",
             what, shown(type));
    }
    fail(ErrorCode::Unsupported,
         "{} has a layer of the type '{}'; banger takes tar, tar+gzip and tar+zstd", what,
         shown(type));
}

ImageManifest manifest_of(const json &document, std::string_view what) {
    ImageManifest manifest{descriptor_of(document.at("config"), what), {}};
    if (!is_one_of(manifest.config.media_type, config_types)) {
        fail(ErrorCode::Unsupported, "{} is not a container image but of the type '{}'", what,
             shown(manifest.config.media_type));
    }
    if (manifest.config.size > max_config_bytes) {
        fail(ErrorCode::LimitsExceeded, "the configuration of {} is larger than {} MiB", what,
             max_config_bytes >> 20U);
    }
    const json &layers = document.at("layers");
    if (layers.size() > max_layers) {
        fail(ErrorCode::LimitsExceeded, "{} has more than {} layers", what, max_layers);
    }
    for (const json &layer : layers) {
        manifest.layers.push_back(descriptor_of(layer, what));
        check_layer_type(manifest.layers.back().media_type, what);
    }
    return manifest;
}

std::string text_of(const Platform &platform) {
    return shown(platform.os) + "/" + shown(platform.architecture) +
           (platform.variant.empty() ? "" : "/" + shown(platform.variant));
}

} // namespace

const std::vector<std::string> &manifest_media_types() {
    static const std::vector<std::string> types{std::string(oci_index), std::string(oci_manifest),
                                                std::string(docker_list),
                                                std::string(docker_manifest)};
    return types;
}

std::variant<ImageIndex, ImageManifest>
parse_manifest(std::string_view text, std::string_view media_type, std::string_view what) {
    using Result = std::variant<ImageIndex, ImageManifest>;
    return with_document(text, max_manifest_bytes, what, [&](const json &document) -> Result {
        if (find(document, "schemaVersion") != nullptr && document["schemaVersion"] == 1) {
            fail(ErrorCode::Unsupported,
                 "{} is in Docker's schema 1, which was withdrawn; push the image again with a "
                 "newer Docker",
                 what);
        }
        const bool has_manifests = document.contains("manifests");
        const bool has_layers = document.contains("layers") || document.contains("config");
        // One document that reads as both would mean different images to different readers
        // (CVE-2021-41190).
        if (has_manifests == has_layers) {
            fail(ErrorCode::ImageCorrupt, "{} is neither an image index nor an image manifest",
                 what);
        }
        const std::string own_type = string_of(document, "mediaType");
        const std::string type = own_type.empty() ? std::string(media_type) : own_type;
        const bool is_index = type == oci_index || type == docker_list;
        const bool is_manifest = type == oci_manifest || type == docker_manifest;
        if (!own_type.empty() && !is_index && !is_manifest) {
            fail(ErrorCode::Unsupported, "{} is of the type '{}', not a container image", what,
                 shown(own_type));
        }
        if ((is_index && !has_manifests) || (is_manifest && !has_layers)) {
            fail(ErrorCode::ImageCorrupt, "{} is not of the type that it claims, {}", what,
                 shown(type));
        }
        return has_manifests ? Result{index_of(document, what)}
                             : Result{manifest_of(document, what)};
    });
}

ImageConfig parse_config(std::string_view text, std::string_view what) {
    return with_document(text, max_config_bytes, what, [&](const json &document) {
        const Platform platform{string_of(document, "os"), string_of(document, "architecture"), {}};
        if ((!platform.os.empty() && platform.os != "linux") ||
            (!platform.architecture.empty() && platform.architecture != "amd64")) {
            fail(ErrorCode::Unsupported, "{} is of an image for {}; banger runs linux/amd64", what,
                 text_of(platform));
        }
        ImageConfig config;
        config.json = text;
        if (const json *run = find(document, "config")) {
            config.environment = strings_of(*run, "Env");
            config.working_directory = string_of(*run, "WorkingDir");
            config.user = string_of(*run, "User");
            config.entrypoint = strings_of(*run, "Entrypoint");
            config.command = strings_of(*run, "Cmd");
        }
        const std::vector<std::string> digests = strings_of(document.at("rootfs"), "diff_ids");
        if (digests.size() > max_layers) {
            fail(ErrorCode::LimitsExceeded, "{} has more than {} layers", what, max_layers);
        }
        for (const std::string &digest : digests) {
            config.diff_ids.push_back(digest_of(digest, what));
        }
        return config;
    });
}

const Descriptor &select_platform(const ImageIndex &index, std::string_view what) {
    const auto fits = [](const ImageIndex::Entry &entry) {
        return entry.platform.os == "linux" && entry.platform.architecture == "amd64";
    };
    const ImageIndex::Entry *best = nullptr;
    std::string others;
    for (const auto &entry : index.entries) {
        // Without a variant it runs on every amd64; v2 and above ask for more of the processor.
        if (fits(entry) && (best == nullptr ||
                            (!best->platform.variant.empty() && entry.platform.variant.empty()))) {
            best = &entry;
        }
        // "unknown/unknown" is no image but an attestation of one.
        if (!entry.platform.os.empty() && entry.platform.os != "unknown" && others.size() < 500) {
            others += (others.empty() ? "" : ", ") + text_of(entry.platform);
        }
    }
    if (best == nullptr && index.entries.size() == 1 && index.entries.front().platform.os.empty()) {
        best = &index.entries.front();
    }
    if (best == nullptr) {
        fail(ErrorCode::Unsupported, "{} has no image for linux/amd64, only for {}", what,
             others.empty() ? "no known platform" : others);
    }
    return best->manifest;
}

} // namespace banger::oci
