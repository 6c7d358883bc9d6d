#include "daemon/oci/layout.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/oci/assemble.hpp"

#include <fcntl.h>

#include <algorithm>

namespace banger::oci {

OciDirectory::OciDirectory(OciDirectoryReference reference)
    : reference_(std::move(reference)), what_(to_string(reference_)), image_(resolve()) {}

BlobReader OciDirectory::wait_for_layer(std::size_t index) {
    return open(image_.layers.at(index), layer_name(index, what_));
}

ResolvedImage OciDirectory::resolve() const {
    const auto file = reference_.directory / "index.json";
    if (!std::filesystem::exists(file)) {
        fail(ErrorCode::NotFound,
             "{} is not an OCI image layout: there is no index.json; write one with 'skopeo copy "
             "docker://IMAGE oci:DIRECTORY:TAG'",
             reference_.directory.string());
    }
    auto parsed = parse_manifest(read_file(file, max_manifest_bytes), {}, file.string());
    // The layout's index leads to an image, or to another index with one image per platform.
    for (int level = 0; level < 3; ++level) {
        const auto *index = std::get_if<ImageIndex>(&parsed);
        if (index == nullptr) {
            break;
        }
        const Descriptor chosen = level == 0 ? select(*index) : select_platform(*index, what_);
        parsed =
            parse_manifest(open(chosen, "the manifest of " + what_).read_all(max_manifest_bytes),
                           chosen.media_type, what_);
        if (auto *manifest = std::get_if<ImageManifest>(&parsed)) {
            BlobReader config = open(manifest->config, "the configuration of " + what_);
            return assemble(chosen.digest, std::move(*manifest), std::move(config), what_);
        }
    }
    fail(ErrorCode::ImageCorrupt, "{} leads to no image manifest", what_);
}

Descriptor OciDirectory::select(const ImageIndex &index) const {
    std::string tags;
    for (const auto &entry : index.entries) {
        if (!reference_.tag.empty() && entry.tag == reference_.tag) {
            return entry.manifest;
        }
        if (!entry.tag.empty() && tags.size() < 500) {
            tags += (tags.empty() ? "" : ", ") + entry.tag;
        }
    }
    if (!reference_.tag.empty()) {
        fail(ErrorCode::NotFound, "{} has no tag '{}', only {}", reference_.directory.string(),
             reference_.tag, tags.empty() ? "images without tags" : tags);
    }
    if (index.entries.size() == 1) {
        return index.entries.front().manifest;
    }
    if (!tags.empty()) {
        fail(ErrorCode::InvalidArgument, "{} holds more than one image; add one of the tags: {}",
             reference_.directory.string(), tags);
    }
    return select_platform(index, what_);
}

BlobReader OciDirectory::open(const Descriptor &blob, std::string what) const {
    return {open_file(reference_.directory / "blobs" / "sha256" / blob.digest.hex(), O_RDONLY),
            blob, std::move(what)};
}

} // namespace banger::oci
