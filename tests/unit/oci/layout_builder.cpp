#include "tests/unit/oci/layout_builder.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

#include <random>

namespace banger::oci::test {
namespace {

using nlohmann::json;

json to_json(const Descriptor &blob) {
    return {{"mediaType", blob.media_type}, {"digest", blob.digest.str()}, {"size", blob.size}};
}

} // namespace

LayoutBuilder::LayoutBuilder(std::filesystem::path directory) : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_ / "blobs" / "sha256");
    write_file_atomically(directory_ / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
}

std::filesystem::path LayoutBuilder::path_of(const Digest &digest) const {
    return directory_ / "blobs" / "sha256" / digest.hex();
}

Descriptor LayoutBuilder::add_blob(const std::string &content, const std::string &media_type) {
    Descriptor blob{Digest::of(content), content.size(), media_type};
    write_file_atomically(path_of(blob.digest), content);
    return blob;
}

Descriptor LayoutBuilder::add_image(const std::vector<std::string> &layers,
                                    const std::string &architecture) {
    json config{{"os", "linux"},
                {"architecture", architecture},
                {"config", {{"Env", {"PATH=/bin"}}, {"Cmd", {"/bin/sh"}}, {"User", "me"}}},
                {"rootfs", {{"type", "layers"}, {"diff_ids", json::array()}}}};
    json manifest{{"schemaVersion", 2},
                  {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                  {"layers", json::array()}};
    for (const std::string &layer : layers) {
        const Descriptor blob = add_blob(layer, "application/vnd.oci.image.layer.v1.tar");
        config["rootfs"]["diff_ids"].push_back(blob.digest.str());
        manifest["layers"].push_back(to_json(blob));
    }
    manifest["config"] =
        to_json(add_blob(config.dump(), "application/vnd.oci.image.config.v1+json"));
    return add_blob(manifest.dump(), "application/vnd.oci.image.manifest.v1+json");
}

Descriptor LayoutBuilder::add_index(const std::vector<std::pair<Descriptor, std::string>> &images) {
    json index{{"schemaVersion", 2},
               {"mediaType", "application/vnd.oci.image.index.v1+json"},
               {"manifests", json::array()}};
    for (const auto &[image, platform] : images) {
        json entry = to_json(image);
        const auto slash = platform.find('/');
        entry["platform"] = {{"os", platform.substr(0, slash)},
                             {"architecture", platform.substr(slash + 1)}};
        index["manifests"].push_back(std::move(entry));
    }
    return add_blob(index.dump(), "application/vnd.oci.image.index.v1+json");
}

void LayoutBuilder::tag(const Descriptor &manifest, const std::string &name) {
    tags_.emplace_back(manifest, name);
    json index{{"schemaVersion", 2}, {"manifests", json::array()}};
    for (const auto &[tagged, tag] : tags_) {
        json entry = to_json(tagged);
        entry["annotations"] = {{"org.opencontainers.image.ref.name", tag}};
        index["manifests"].push_back(std::move(entry));
    }
    write_file_atomically(directory_ / "index.json", index.dump());
}

std::string some_bytes(std::size_t count, unsigned seed) {
    std::mt19937 generator{seed};
    std::string bytes(count, '\0');
    for (char &byte : bytes) {
        byte = static_cast<char>(generator() & 0xffU);
    }
    return bytes;
}

} // namespace banger::oci::test
