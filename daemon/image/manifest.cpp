#include "daemon/image/manifest.hpp"

#include "base/names.hpp"
#include "daemon/image/run_config_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {
namespace {

nlohmann::ordered_json to_json(const BuildRecord &build) {
    auto parts = nlohmann::ordered_json::array();
    for (const Part &part : build.parts) {
        parts.push_back(
            {{"name", part.name}, {"included", part.included}, {"reason", part.reason}});
    }
    return {{"recipe", build.recipe}, {"extra_packages", build.extra_packages}, {"parts", parts}};
}

BuildRecord build_record_from(const nlohmann::json &json) {
    BuildRecord build{json.at("recipe"), json.at("extra_packages"), {}};
    for (const auto &part : json.at("parts")) {
        build.parts.push_back({part.at("name"), part.at("included"), part.at("reason")});
    }
    return build;
}

} // namespace

std::string to_json(const Image &image) {
    nlohmann::ordered_json json{
        {"format", 1},
        {"name", image.name},
        {"digest", image.digest},
        {"source", image.source},
        {"kernel", image.kernel},
        {"size", image.size},
        {"disk_bytes", image.disk_bytes},
        {"created", image.created},
        {"packages", image.packages},
        {"build", to_json(image.build)},
        {"run", to_json(image.run)},
    };
    if (image.registered) {
        json["registered"] = {{"file", image.registered->file.string()},
                              {"identity", to_json(image.registered->identity)}};
    }
    return json.dump(2) + "\n";
}

Image image_from_json(std::string_view text, const std::filesystem::path &directory) {
    try {
        const auto json = nlohmann::json::parse(text);
        if (json.at("format") != 1) {
            fail(ErrorCode::Unsupported, "{} is of a newer format", directory.string());
        }
        Image image;
        image.name = ArtifactName{"image", json.at("name").get<std::string>()}.str();
        image.digest = json.at("digest");
        image.source = json.at("source");
        image.kernel = ArtifactName{"kernel", json.at("kernel").get<std::string>()}.str();
        image.size = json.at("size");
        image.disk_bytes = json.at("disk_bytes");
        image.created = json.at("created");
        image.packages = json.at("packages");
        if (const auto build = json.find("build"); build != json.end()) {
            image.build = build_record_from(*build);
        }
        if (const auto run = json.find("run"); run != json.end()) {
            image.run = run_config_from(*run);
        }
        if (const auto registered = json.find("registered"); registered != json.end()) {
            image.registered = {registered->at("file").get<std::string>(),
                                file_identity_from(registered->at("identity"))};
        }
        image.directory = directory;
        if (!is_digest(image.digest)) {
            fail(ErrorCode::ImageCorrupt, "the manifest in {} has no digest", directory.string());
        }
        return image;
    } catch (const nlohmann::json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "the manifest of the image in {} is damaged: {}",
             directory.string(), error.what());
    }
}

std::string to_json(const NameEntry &entry) {
    const nlohmann::ordered_json json{{"digest", entry.digest},
                                      {"source", entry.source},
                                      {"kernel", entry.kernel},
                                      {"manifest", entry.manifest},
                                      {"build", to_json(entry.build)}};
    return json.dump(2) + "\n";
}

NameEntry name_entry_from(std::string_view text) {
    if (is_digest(text)) {
        return {
            .digest = std::string(text), .source = {}, .kernel = {}, .manifest = {}, .build = {}};
    }
    try {
        const auto json = nlohmann::json::parse(text);
        NameEntry entry{
            json.at("digest"), json.at("source"), json.at("kernel"), json.at("manifest"), {}};
        if (const auto build = json.find("build"); build != json.end()) {
            entry.build = build_record_from(*build);
        }
        return entry;
    } catch (const nlohmann::json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "the file of the name is damaged: {}", error.what());
    }
}

bool is_digest(std::string_view text) noexcept {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

} // namespace banger::image
