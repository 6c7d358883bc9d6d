#include "daemon/catalog/parse.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace banger::catalog {
namespace {

using nlohmann::json;

/// Reads one object: each key that may be there is asked for once; finish() refuses the rest.
class ObjectReader {
public:
    ObjectReader(const json &value, std::string place) : value_(value), place_(std::move(place)) {
        if (!value_.is_object()) {
            fail(ErrorCode::InvalidArgument, "{} must be an object", place_);
        }
    }

    /// `use` gets the value of `key` if it is there; an Error of it gets the place.
    template <typename Use>
    bool read(const char *key, Use use) {
        known_.emplace(key);
        const auto found = value_.find(key);
        if (found == value_.end()) {
            return false;
        }
        try {
            use(*found);
        } catch (const Error &error) {
            throw error.with_context(fmt::format("{}.{}", place_, key));
        } catch (const json::exception &) {
            fail(ErrorCode::InvalidArgument, "{}.{} has the wrong type", place_, key);
        }
        return true;
    }
    template <typename Use>
    void need(const char *key, Use use) {
        if (!read(key, use)) {
            fail(ErrorCode::InvalidArgument, "{} has no {:?}", place_, key);
        }
    }
    template <typename Value>
    void need_value(const char *key, Value &target) {
        need(key, [&](const json &value) { value.get_to(target); });
    }
    template <typename Value>
    void value(const char *key, Value &target) {
        read(key, [&](const json &found) { found.get_to(target); });
    }
    /// `read_entry` gets a reader of each object of the list.
    template <typename ReadEntry>
    void entries(const char *key, ReadEntry read_entry) {
        known_.emplace(key);
        const auto found = value_.find(key);
        if (found == value_.end()) {
            return;
        }
        if (!found->is_array()) {
            fail(ErrorCode::InvalidArgument, "{}.{} must be a list", place_, key);
        }
        for (std::size_t i = 0; i < found->size(); ++i) {
            ObjectReader reader{(*found)[i], fmt::format("{}.{}[{}]", place_, key, i)};
            read_entry(reader);
            reader.finish();
        }
    }
    template <typename ReadTable>
    bool table(const char *key, ReadTable read_table) {
        known_.emplace(key);
        const auto found = value_.find(key);
        if (found == value_.end()) {
            return false;
        }
        ObjectReader reader{*found, fmt::format("{}.{}", place_, key)};
        read_table(reader);
        reader.finish();
        return true;
    }

    void finish() const {
        for (const auto &[key, value] : value_.items()) {
            if (!known_.contains(key)) {
                fail(ErrorCode::InvalidArgument, "{}.{} is not known", place_, key);
            }
        }
    }
    const std::string &place() const noexcept { return place_; }
    /// What an entry is called by from now on, where it has a name.
    void rename(std::string place) { place_ = std::move(place); }

private:
    const json &value_;
    std::string place_;
    std::set<std::string, std::less<>> known_;
};

bool only_of(std::string_view text, std::string_view further) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               further.find(c) != std::string_view::npos;
    });
}

/// What stands in a line of a sources.list, where a blank or an option would change its meaning.
void check_source_word(std::string_view word, std::string_view what) {
    constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!only_of(word, std::string(upper) + "-._/") || word.front() == '-') {
        fail(ErrorCode::InvalidArgument, "{:?} is no {} of an apt archive", word, what);
    }
}

void check_part_name(std::string_view name) {
    if (!only_of(name, "-") || name.front() == '-') {
        fail(ErrorCode::InvalidArgument, "{:?} is no name of a part: use a-z, 0-9 and '-'", name);
    }
}

bool has_control_or_blank(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
}

bool is_remote(std::string_view url) {
    return url.starts_with("https://") || url.starts_with("http://");
}

/// The URL, in full where it is relative.
std::string resolve_url(const std::string &url, const std::string &origin) {
    if (url.empty() || has_control_or_blank(url)) {
        fail(ErrorCode::InvalidArgument, "{:?} is no URL", url);
    }
    if (is_remote(url)) {
        return url;
    }
    const bool by_path = !is_remote(origin);
    if (url.starts_with("file://")) {
        if (!by_path) {
            fail(ErrorCode::InvalidArgument,
                 "{:?} is a file of this host: only a catalog on this "
                 "host may name one",
                 url);
        }
        return url;
    }
    if (url.find("://") != std::string::npos) {
        fail(ErrorCode::InvalidArgument, "{:?} is neither http nor https nor file", url);
    }
    const std::string directory = origin.substr(0, origin.rfind('/') + 1);
    if (url.front() == '/' || directory.empty()) {
        fail(ErrorCode::InvalidArgument, "{:?} is neither a URL nor relative to the catalog", url);
    }
    return (by_path ? "file://" : "") + directory + url;
}

void read_sha256(const json &value, std::string &target) {
    value.get_to(target);
    if (target.size() != 64 || !only_of(target, "") ||
        std::any_of(target.begin(), target.end(), [](char c) { return c > 'f'; })) {
        fail(ErrorCode::InvalidArgument, "{:?} is no sha256: 64 digits of 0-9 and a-f", target);
    }
}

void read_remote_file(ObjectReader &reader, const std::string &origin, RemoteFile &target) {
    reader.need("url", [&](const json &value) {
        target.url = resolve_url(value.get<std::string>(), origin);
    });
    reader.need("sha256", [&](const json &value) { read_sha256(value, target.sha256); });
    reader.read("size", [&](const json &value) {
        if (!value.is_number_unsigned()) {
            fail(ErrorCode::InvalidArgument, "{} is no number of bytes", value.dump());
        }
        value.get_to(target.size);
    });
}

void read_packages(ObjectReader &reader, const char *key, std::vector<std::string> &target) {
    reader.read(key, [&](const json &value) {
        value.get_to(target);
        std::for_each(target.begin(), target.end(), check_package);
    });
}

AptSource read_source(ObjectReader &reader, const std::string &origin) {
    AptSource source;
    reader.need("name", [&](const json &value) {
        value.get_to(source.name);
        check_part_name(source.name);
    });
    reader.need("uri", [&](const json &value) {
        value.get_to(source.uri);
        if (!is_remote(source.uri) || has_control_or_blank(source.uri)) {
            fail(ErrorCode::InvalidArgument, "{:?} is neither http nor https", source.uri);
        }
    });
    reader.need("suite", [&](const json &value) {
        value.get_to(source.suite);
        check_source_word(source.suite, "suite");
    });
    reader.need("components", [&](const json &value) {
        value.get_to(source.components);
        for (const auto &component : source.components) {
            check_source_word(component, "component");
        }
    });
    if (!reader.table("key",
                      [&](ObjectReader &key) { read_remote_file(key, origin, source.key); })) {
        fail(ErrorCode::InvalidArgument, "{} has no \"key\": what is not signed is not installed",
             reader.place());
    }
    read_packages(reader, "packages", source.packages);
    read_packages(reader, "replaces", source.replaces);
    reader.value("optional", source.optional);
    return source;
}

ExtraFile read_file(ObjectReader &reader, const std::string &origin) {
    ExtraFile file;
    reader.need("name", [&](const json &value) {
        value.get_to(file.name);
        check_part_name(file.name);
    });
    read_remote_file(reader, origin, file.file);
    reader.need("path", [&](const json &value) {
        file.path = value.get<std::string>();
        if (!file.path.is_absolute() || file.path.lexically_normal() != file.path ||
            !file.path.has_filename()) {
            fail(ErrorCode::InvalidArgument, "{:?} is no absolute path of a file",
                 file.path.string());
        }
    });
    reader.read("mode", [&](const json &value) {
        const auto text = value.get<std::string>();
        constexpr std::uint32_t most = 07777;
        std::size_t end = 0;
        const bool digits = text.size() <= 5 &&
                            text.find_first_not_of("01234567") == std::string::npos &&
                            !text.empty();
        const unsigned long mode = digits ? std::stoul(text, &end, 8) : most + 1;
        if (mode > most) {
            fail(ErrorCode::InvalidArgument, "{:?} is no mode, as \"0755\" is one", text);
        }
        file.mode = static_cast<std::uint32_t>(mode);
    });
    reader.value("optional", file.optional);
    return file;
}

void read_size(ObjectReader &reader, const char *key, std::uint64_t &target) {
    reader.read(key,
                [&](const json &value) { target = parse_byte_size(value.get<std::string>()); });
}

Recipe read_recipe(ObjectReader &reader, const std::string &origin) {
    constexpr auto variants = std::to_array<std::string_view>(
        {"minbase", "buildd", "apt", "essential", "standard", "important"});
    Recipe recipe;
    reader.need("suite", [&](const json &value) {
        value.get_to(recipe.suite);
        check_source_word(recipe.suite, "suite");
    });
    recipe.variant = variants.front();
    reader.read("variant", [&](const json &value) {
        value.get_to(recipe.variant);
        if (std::find(variants.begin(), variants.end(), recipe.variant) == variants.end()) {
            fail(ErrorCode::InvalidArgument, "{:?} is none of {}", recipe.variant,
                 fmt::join(variants, ", "));
        }
    });
    read_packages(reader, "packages", recipe.packages);
    reader.entries("sources", [&](ObjectReader &source) {
        recipe.sources.push_back(read_source(source, origin));
    });
    reader.entries("files",
                   [&](ObjectReader &file) { recipe.files.push_back(read_file(file, origin)); });
    std::set<std::string_view> parts;
    const auto add_part = [&](const auto &part) {
        if (!parts.insert(part.name).second) {
            fail(ErrorCode::InvalidArgument, "{} has the part {} twice", reader.place(), part.name);
        }
    };
    std::for_each(recipe.sources.begin(), recipe.sources.end(), add_part);
    std::for_each(recipe.files.begin(), recipe.files.end(), add_part);
    read_size(reader, "build_size", recipe.build_bytes);
    read_size(reader, "image_size", recipe.image_bytes);
    return recipe;
}

RemoteFile read_bundle(ObjectReader &reader, const std::string &origin) {
    RemoteFile bundle;
    read_remote_file(reader, origin, bundle);
    return bundle;
}

void read_name(ObjectReader &reader, const char *kind, const std::string &origin,
               std::string &name) {
    reader.need("name", [&](const json &value) {
        name = ArtifactName{kind, value.get<std::string>()}.str();
    });
    reader.rename(fmt::format("{}: {} {}", origin, kind, name));
}

ImageEntry read_image(ObjectReader &reader, const std::string &origin) {
    ImageEntry entry;
    entry.origin = origin;
    read_name(reader, "image", origin, entry.name);
    reader.value("description", entry.description);
    reader.need("kernel", [&](const json &value) {
        entry.kernel = ArtifactName{"kernel", value.get<std::string>()}.str();
    });
    const bool recipe = reader.table(
        "recipe", [&](ObjectReader &table) { entry.means = read_recipe(table, origin); });
    const bool bundle = reader.table(
        "bundle", [&](ObjectReader &table) { entry.means = read_bundle(table, origin); });
    if (recipe == bundle) {
        fail(ErrorCode::InvalidArgument, "{} needs either \"recipe\" or \"bundle\"",
             reader.place());
    }
    return entry;
}

KernelEntry read_kernel(ObjectReader &reader, const std::string &origin) {
    KernelEntry entry;
    entry.origin = origin;
    read_name(reader, "kernel", origin, entry.name);
    reader.value("description", entry.description);
    if (!reader.table("bundle",
                      [&](ObjectReader &table) { entry.bundle = read_bundle(table, origin); })) {
        fail(ErrorCode::InvalidArgument, "{} has no \"bundle\"", reader.place());
    }
    return entry;
}

template <typename Entry>
void check_unique(const std::vector<Entry> &entries, std::string_view kind,
                  const std::string &origin) {
    std::set<std::string_view> names;
    for (const Entry &entry : entries) {
        if (!names.insert(entry.name).second) {
            fail(ErrorCode::InvalidArgument, "{} has the {} {} twice", origin, kind, entry.name);
        }
    }
}

json parse_json(std::string_view text, const std::string &origin) {
    try {
        return json::parse(text);
    } catch (const json::exception &error) {
        fail(ErrorCode::InvalidArgument, "{} is no JSON: {}", origin, error.what());
    }
}

} // namespace

void check_package(std::string_view package) {
    const auto end = package.find_first_of("=/");
    const std::string_view name = package.substr(0, end);
    const std::string_view rest =
        end == std::string_view::npos ? std::string_view{} : package.substr(end + 1);
    constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (name.size() < 2 || !only_of(name, "+-.") || name.front() == '-' || name.front() == '+' ||
        name.front() == '.' || name.back() == '-' ||
        (end != std::string_view::npos && !only_of(rest, std::string(upper) + "+-.~:"))) {
        fail(ErrorCode::InvalidArgument, "{:?} is no name of a Debian package", package);
    }
}

Part parse(std::string_view text, const std::string &origin) {
    if (text.size() > max_file_bytes) {
        fail(ErrorCode::InvalidArgument, "{} has {}, and a catalog has {} at most", origin,
             format_byte_size(text.size()), format_byte_size(max_file_bytes));
    }
    const json document = parse_json(text, origin);
    ObjectReader reader{document, origin};
    reader.need("format", [](const json &value) {
        if (value != 1) {
            fail(ErrorCode::InvalidArgument, "it is of a newer format than this banger knows");
        }
    });
    Part part;
    reader.entries("images",
                   [&](ObjectReader &entry) { part.images.push_back(read_image(entry, origin)); });
    reader.entries("kernels", [&](ObjectReader &entry) {
        part.kernels.push_back(read_kernel(entry, origin));
    });
    reader.finish();
    check_unique(part.images, "image", origin);
    check_unique(part.kernels, "kernel", origin);
    return part;
}

} // namespace banger::catalog
