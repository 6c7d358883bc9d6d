#include "daemon/bundle/manifest.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace banger::bundle {
namespace {

using nlohmann::json;

constexpr std::size_t max_members = 500;
constexpr int max_depth = 2; // "run" of an image is an object

struct Place {
    std::string_view path; ///< one that ends in '/' is the directory of any number of files
    std::uint64_t max_bytes;
    bool required;
};

constexpr std::array image_places{Place{"rootfs.ext4", max_rootfs_bytes, true}};
constexpr auto kernel_places = std::to_array<Place>({
    {"vmlinux", 512ULL << 20U, true},
    {"boot-modules/order", 64ULL << 10U, true},
    {"boot-modules/", 64ULL << 20U, false},
    {"modules.ext4", 4ULL << 30U, false},
    {"initrd", 256ULL << 20U, false},
});

std::span<const Place> places_of(Kind kind) {
    return kind == Kind::Image ? std::span<const Place>{image_places}
                               : std::span<const Place>{kernel_places};
}

bool is_file_name(std::string_view name) {
    constexpr std::string_view letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return !name.empty() && name.front() != '.' && name.size() <= 255 &&
           name.find_first_not_of(letters) == std::string_view::npos;
}

const Place *place_of(std::string_view path, Kind kind) {
    const auto places = places_of(kind);
    const auto found = std::find_if(places.begin(), places.end(), [&](const Place &place) {
        return place.path == path || (place.path.ends_with('/') && path.starts_with(place.path) &&
                                      is_file_name(path.substr(place.path.size())));
    });
    return found == places.end() ? nullptr : &*found;
}

[[noreturn]] void wrong(std::string_view key, std::string_view how) {
    fail(ErrorCode::ImageCorrupt, "{}: {:?} {}", manifest_name, key, how);
}

const json &member_of(const json &object, const char *key) {
    const auto found = object.find(key);
    if (found == object.end()) {
        wrong(key, "is missing");
    }
    return *found;
}

std::string word(const json &object, const char *key) {
    const json &value = member_of(object, key);
    if (!value.is_string()) {
        wrong(key, "is no string");
    }
    return value.get<std::string>();
}

void require_known_keys(const json &object, std::string_view what,
                        std::initializer_list<std::string_view> keys) {
    if (!object.is_object()) {
        wrong(what, "is no object");
    }
    for (const auto &[key, value] : object.items()) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
            wrong(key, "is not known");
        }
    }
}

bool is_sha256(std::string_view text) {
    return text.size() == 64 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Member read_member(const json &value, Kind kind) {
    require_known_keys(value, "files", {"path", "size", "sha256"});
    Member member;
    member.path = word(value, "path");
    const Place *place = place_of(member.path, kind);
    if (place == nullptr) {
        wrong(member.path, fmt::format("is no file of {} bundle's",
                                       kind == Kind::Image ? "an image" : "a kernel"));
    }
    const json &size = member_of(value, "size");
    if (!size.is_number_unsigned()) {
        wrong("size", "is no number of bytes");
    }
    member.size = size.get<std::uint64_t>();
    if (member.size > place->max_bytes) {
        wrong(member.path,
              fmt::format("has {} bytes, and {} at most are taken", member.size, place->max_bytes));
    }
    member.sha256 = word(value, "sha256");
    if (!is_sha256(member.sha256)) {
        wrong("sha256", "is none");
    }
    return member;
}

bool is_plain(const json &value, int depth) {
    if (value.is_boolean()) {
        return true;
    }
    if (value.is_string()) {
        return value.get_ref<const std::string &>().find('\0') == std::string::npos;
    }
    if (value.is_array()) {
        return std::all_of(value.begin(), value.end(),
                           [](const json &one) { return one.is_string() && is_plain(one, 0); });
    }
    return value.is_object() && depth > 0 &&
           std::all_of(value.begin(), value.end(),
                       [&](const json &one) { return is_plain(one, depth - 1); });
}

} // namespace

std::string_view to_string(Kind kind) noexcept {
    return kind == Kind::Image ? "image" : "kernel";
}

Manifest parse_manifest(std::string_view text, Kind expected) {
    const json document = json::parse(text, nullptr, false);
    if (document.is_discarded()) {
        fail(ErrorCode::ImageCorrupt, "{} is no JSON", manifest_name);
    }
    require_known_keys(document, manifest_name, {"format", "kind", "files", "about"});
    if (member_of(document, "format") != 1) {
        fail(ErrorCode::Unsupported, "the bundle is of a newer format than this banger knows");
    }
    if (word(document, "kind") != to_string(expected)) {
        wrong("kind", fmt::format("is not {:?}", to_string(expected)));
    }
    Manifest manifest;
    manifest.kind = expected;
    const json &files = member_of(document, "files");
    if (!files.is_array() || files.size() > max_members) {
        wrong("files", "is no list, or too long");
    }
    std::set<std::string> paths;
    for (const json &file : files) {
        manifest.members.push_back(read_member(file, expected));
        if (!paths.insert(manifest.members.back().path).second) {
            wrong(manifest.members.back().path, "is there twice");
        }
    }
    for (const Place &place : places_of(expected)) {
        if (place.required && !paths.contains(std::string(place.path))) {
            wrong(place.path, "is missing");
        }
    }
    if (const auto about = document.find("about"); about != document.end()) {
        if (!about->is_object() || !is_plain(*about, max_depth)) {
            wrong("about", "may hold words, lists of words and booleans");
        }
        manifest.about = *about;
    }
    return manifest;
}

std::string to_json(const Manifest &manifest) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const Member &member : manifest.members) {
        files.push_back({{"path", member.path}, {"size", member.size}, {"sha256", member.sha256}});
    }
    const nlohmann::ordered_json document{{"format", 1},
                                          {"kind", to_string(manifest.kind)},
                                          {"files", files},
                                          {"about", manifest.about}};
    return document.dump(2) + "\n";
}

} // namespace banger::bundle
