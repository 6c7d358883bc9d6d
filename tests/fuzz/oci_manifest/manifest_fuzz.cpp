// Any bytes as an index, a manifest, a configuration, a reference or a header of a registry: an
// Error, or values within the limits that the rest relies on.

#include "base/error.hpp"
#include "base/names.hpp"
#include "daemon/oci/auth.hpp"
#include "daemon/oci/endpoint.hpp"
#include "daemon/oci/manifest.hpp"
#include "daemon/oci/reference.hpp"

#include <cstdlib>

namespace {

using namespace banger;
using namespace banger::oci;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// The errors that these documents may be answered with.
template <typename Read>
void try_to(Read read) {
    try {
        read();
    } catch (const Error &error) {
        require(error.code() == ErrorCode::ImageCorrupt || error.code() == ErrorCode::Unsupported ||
                error.code() == ErrorCode::LimitsExceeded);
    }
}

void check(const Descriptor &blob) {
    require(blob.digest.hex().size() == 64 && blob.size <= std::uint64_t{1} << 40U);
}

void check(const ImageIndex &index) {
    for (const auto &entry : index.entries) {
        check(entry.manifest);
    }
    check(select_platform(index, "the input"));
}

void check(const ImageManifest &manifest) {
    check(manifest.config);
    require(manifest.layers.size() <= max_layers && manifest.config.size <= max_config_bytes);
    for (const auto &layer : manifest.layers) {
        check(layer);
    }
}

void check_reference(std::string_view text) {
    try {
        const Reference reference = parse_reference(text);
        ArtifactName{"image", default_image_name(reference)};
        require(to_string(parse_reference(to_string(reference))) == to_string(reference));
    } catch (const Error &error) {
        require(error.code() == ErrorCode::InvalidArgument);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char *>(data), size};
    for (const std::string_view type :
         {std::string_view{}, std::string_view{manifest_media_types()[0]}}) {
        try_to([&] {
            std::visit([](const auto &document) { check(document); },
                       parse_manifest(text, type, "the input"));
        });
    }
    try_to([&] { require(parse_config(text, "the input").diff_ids.size() <= max_layers); });
    check_reference(text);
    parse_challenges(text);
    require(registry_complaint(text).size() <= 203);
    return 0;
}
