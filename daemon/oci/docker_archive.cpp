#include "daemon/oci/docker_archive.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/oci/assemble.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>

namespace banger::oci {
namespace {

using nlohmann::json;

constexpr std::string_view manifest_name = "manifest.json";
// Of one image of 500 layers with a directory each there are about 2000.
constexpr std::size_t max_links = 10'000;

std::string normal(std::string_view name) {
    return std::filesystem::path{name}.lexically_normal().string();
}

// The complete names; what is no name is left out.
std::vector<std::string> names_of(const json &image) {
    std::vector<std::string> names;
    const auto tags = image.find("RepoTags");
    if (tags == image.end() || tags->is_null()) {
        return names;
    }
    for (const auto &tag : tags->get<std::vector<std::string>>()) {
        try {
            names.push_back(to_string(parse_registry_reference(tag)));
        } catch (const Error &) {
            continue;
        }
    }
    return names;
}

// Where a symbolic or hard link of the archive leads inside it; none: it is no link.
std::optional<std::string> link_target(archive_entry *entry, const std::string &name) {
    if (const char *target = ::archive_entry_symlink(entry)) {
        return normal((std::filesystem::path{name}.parent_path() / target).string());
    }
    if (const char *target = ::archive_entry_hardlink(entry)) {
        return normal(target);
    }
    return std::nullopt;
}

// Calls visit(name, entry, reader) for each entry until it returns false.
template <typename Visit>
void for_each_entry(const std::filesystem::path &file, Visit visit) {
    const UniqueFd fd = open_file(file, O_RDONLY);
    ArchiveReader reader{descriptor_source(fd.get()), ArchiveReader::Format::Tar, file.string()};
    while (archive_entry *entry = reader.next()) {
        const char *name = ::archive_entry_pathname(entry);
        if (name != nullptr && !visit(normal(name), entry, reader)) {
            return;
        }
    }
}

struct Scan {
    std::string manifest; ///< empty: there is none
    /// Old archives have equal layers once, and links to them.
    std::map<std::string, std::string> links;
};

Scan scan(const std::filesystem::path &file) {
    Scan result;
    for_each_entry(file, [&](const std::string &name, archive_entry *entry, ArchiveReader &reader) {
        if (name == manifest_name) {
            result.manifest = reader.read_all(max_manifest_bytes);
        } else if (auto target = link_target(entry, name)) {
            result.links[name] = std::move(*target);
        }
        if (result.links.size() > max_links) {
            fail(ErrorCode::LimitsExceeded, "{} has more than {} links", file.string(), max_links);
        }
        return true;
    });
    return result;
}

std::string resolved(const std::map<std::string, std::string> &links, std::string name) {
    name = normal(name);
    if (const auto link = links.find(name); link != links.end()) {
        return link->second;
    }
    return name;
}

// Of a name as of Docker 25, "blobs/sha256/HEX".
std::optional<Digest> digest_in(const std::string &name) {
    constexpr std::string_view folder = "blobs/sha256/";
    return name.starts_with(folder) ? Digest::parse("sha256:" + name.substr(folder.size()))
                                    : std::nullopt;
}

void copy_layer(ArchiveReader &reader, const BlobCache &cache, const Digest &digest) {
    const auto partial = cache.open_partial(digest);
    partial->restart();
    while (const auto piece = reader.data()) {
        if (piece->offset != partial->size()) {
            fail(ErrorCode::ImageCorrupt, "a layer in the archive has holes");
        }
        partial->append(piece->bytes);
    }
    partial->publish();
}

// The archive does not say how a layer is compressed.
std::string media_type_of(std::span<const std::byte> beginning) {
    const auto begins_with = [&](std::initializer_list<unsigned> magic) {
        return beginning.size() >= magic.size() &&
               std::equal(magic.begin(), magic.end(), beginning.begin(),
                          [](unsigned a, std::byte b) { return std::byte(a) == b; });
    };
    std::string type = "application/vnd.docker.image.rootfs.diff.tar";
    if (begins_with({0x1f, 0x8b})) {
        type += ".gzip";
    } else if (begins_with({0x28, 0xb5, 0x2f, 0xfd})) {
        type += ".zstd";
    }
    return type;
}

} // namespace

DockerArchive::DockerArchive(DockerArchiveReference reference, const Settings &settings)
    : reference_(std::move(reference)), what_(to_string(reference_)),
      cache_(settings.cache_directory), image_(resolve()) {}

BlobReader DockerArchive::wait_for_layer(std::size_t index) {
    return cache_.open(image_.layers.at(index), layer_name(index, what_));
}

DockerArchive::Contents DockerArchive::select(const std::string &manifest) const {
    try {
        const json document = json::parse(manifest);
        std::vector<Contents> found;
        std::string names;
        for (const json &image : document) {
            bool named = false;
            for (const std::string &name : names_of(image)) {
                named = named || name == reference_.name;
                names += (names.empty() ? "" : ", ") + name;
            }
            if (named || reference_.name.empty()) {
                found.push_back({image.at("Config").get<std::string>(),
                                 image.at("Layers").get<std::vector<std::string>>()});
            }
        }
        names.resize(std::min<std::size_t>(names.size(), 500));
        if (found.empty()) {
            fail(ErrorCode::NotFound, "{} holds no image of that name, only {}", what_,
                 names.empty() ? "images without names" : names);
        }
        if (found.size() > 1 && reference_.name.empty()) {
            fail(ErrorCode::InvalidArgument,
                 "{} holds more than one image; add ':' and one of the names: {}", what_, names);
        }
        if (found.front().layers.size() > max_layers) {
            fail(ErrorCode::LimitsExceeded, "{} has more than {} layers", what_, max_layers);
        }
        return std::move(found.front());
    } catch (const json::exception &) {
        fail(ErrorCode::ImageCorrupt, "manifest.json in {} is damaged", reference_.file.string());
    }
}

std::string DockerArchive::read_config(const std::string &place) const {
    std::optional<std::string> config;
    for_each_entry(reference_.file,
                   [&](const std::string &name, archive_entry *, ArchiveReader &reader) {
                       if (name == place) {
                           config = reader.read_all(max_config_bytes);
                       }
                       return !config;
                   });
    if (!config) {
        fail(ErrorCode::ImageCorrupt, "{} lacks its configuration", what_);
    }
    return *config;
}

void DockerArchive::copy_layers(const std::map<std::string, Digest> &layers) const {
    std::set<std::string> there;
    for_each_entry(reference_.file, [&](const std::string &name, archive_entry *,
                                        ArchiveReader &reader) {
        const auto layer = layers.find(name);
        if (layer != layers.end() && there.insert(name).second && !cache_.contains(layer->second)) {
            copy_layer(reader, cache_, layer->second);
        }
        return there.size() < layers.size();
    });
    if (there.size() < layers.size()) {
        fail(ErrorCode::ImageCorrupt, "{} lacks one of its layers", what_);
    }
}

ResolvedImage DockerArchive::resolve() const {
    const auto [manifest, links] = scan(reference_.file);
    if (manifest.empty()) {
        fail(ErrorCode::ImageCorrupt,
             "{} has no manifest.json: 'docker save' did not write it; unpack a tar of an OCI "
             "layout "
             "and use it as oci:DIRECTORY",
             reference_.file.string());
    }
    const Contents contents = select(manifest);
    const std::string config = read_config(resolved(links, contents.config));
    ResolvedImage result{
        Digest::of(config), parse_config(config, "the configuration of " + what_), {}};
    if (result.config.diff_ids.size() != contents.layers.size()) {
        fail(ErrorCode::ImageCorrupt, "{} has {} layers, but {} in its configuration", what_,
             contents.layers.size(), result.config.diff_ids.size());
    }
    // By place in the archive, because layers may share one.
    std::map<std::string, Digest> places;
    for (std::size_t i = 0; i < contents.layers.size(); ++i) {
        const std::string place = resolved(links, contents.layers[i]);
        places.emplace(place, digest_in(place).value_or(result.config.diff_ids[i]));
    }
    copy_layers(places);
    for (const std::string &layer : contents.layers) {
        Descriptor blob{places.at(resolved(links, layer)), 0, {}};
        blob.size = cache_.size_of(blob.digest).value_or(0);
        blob.media_type = media_type_of(cache_.open(blob, what_).read());
        result.layers.push_back(std::move(blob));
    }
    return result;
}

} // namespace banger::oci
