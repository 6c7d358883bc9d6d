#include "daemon/oci/reference.hpp"

#include "base/error.hpp"
#include "base/names.hpp"

#include <algorithm>
#include <regex>
#include <utility>

namespace banger::oci {
namespace {

constexpr std::string_view directory_prefix = "oci:";
constexpr std::string_view archive_prefix = "docker-archive:";
constexpr std::string_view default_registry = "docker.io";
constexpr std::size_t max_name = 255;

// Matching is recursive: only for what was found to be short.
bool matches(const std::string &text, const char *expression) {
    return std::regex_match(text, std::regex{expression, std::regex::ECMAScript});
}

bool is_registry(const std::string &text) {
    return matches(text, R"((\[[0-9A-Fa-f:]+\]|)"
                         R"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)"
                         R"((\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*)(:[0-9]{1,5})?)");
}

bool is_repository(const std::string &text) {
    return matches(text, R"([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)"
                         R"((/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)");
}

bool is_tag(const std::string &text) {
    return text.size() <= 128 && matches(text, R"(\w[\w.-]*)");
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    fail(ErrorCode::InvalidArgument,
         "'{}' is not an image: {}. Use [REGISTRY/]NAME[:TAG][@sha256:DIGEST], oci:DIRECTORY[:TAG] "
         "or docker-archive:FILE[:NAME]",
         text, why);
}

// "debian" and "org/img" are Docker Hub's; a first component that can only be a host is one.
std::pair<std::string, std::string> split_registry(const std::string &name) {
    const auto slash = name.find('/');
    const std::string first = name.substr(0, slash);
    const bool has_upper =
        std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (slash == std::string::npos ||
        (first.find_first_of(".:") == std::string::npos && first != "localhost" && !has_upper)) {
        return {std::string(default_registry), name};
    }
    return {first == "index.docker.io" ? std::string(default_registry) : first,
            name.substr(slash + 1)};
}

std::pair<std::string, std::string> split_first_colon(std::string_view text) {
    const auto colon = text.find(':');
    return {std::string(text.substr(0, colon)),
            colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1))};
}

std::string last_component(const std::string &repository) {
    const auto slash = repository.rfind('/');
    return slash == std::string::npos ? repository : repository.substr(slash + 1);
}

std::string as_artifact_name(std::string_view text) {
    const auto is_alnum = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    std::string name;
    for (const char c : text.substr(0, 128)) {
        if (is_alnum(c)) {
            name += c;
        } else if (!name.empty()) {
            name += c == '.' || c == '_' || c == '+' ? c : '-';
        }
    }
    return ArtifactName{"image", name.empty() ? "image" : name}.str();
}

std::string joined(const std::string &name, const std::string &suffix) {
    return suffix.empty() ? name : name + "-" + suffix;
}

std::string default_name(const RegistryReference &reference) {
    return joined(last_component(reference.repository),
                  reference.tag.empty() ? reference.digest->hex().substr(0, 12) : reference.tag);
}

std::string default_name(const OciDirectoryReference &reference) {
    const auto path = std::filesystem::absolute(reference.directory).lexically_normal();
    return joined((path.has_filename() ? path : path.parent_path()).filename(), reference.tag);
}

std::string default_name(const DockerArchiveReference &reference) {
    return reference.name.empty() ? reference.file.stem().string()
                                  : default_name(parse_registry_reference(reference.name));
}

std::string text_of(const RegistryReference &reference) {
    return reference.registry + "/" + reference.repository +
           (reference.tag.empty() ? "" : ":" + reference.tag) +
           (reference.digest ? "@" + reference.digest->str() : "");
}

std::string text_of(const OciDirectoryReference &reference) {
    return std::string(directory_prefix) + reference.directory.string() +
           (reference.tag.empty() ? "" : ":" + reference.tag);
}

std::string text_of(const DockerArchiveReference &reference) {
    return std::string(archive_prefix) + reference.file.string() +
           (reference.name.empty() ? "" : ":" + reference.name);
}

} // namespace

RegistryReference parse_registry_reference(std::string_view text) {
    if (text.size() > max_name + 128 + 80) {
        refuse(text.substr(0, 64), "it is too long");
    }
    if (text.find("://") != std::string_view::npos) {
        refuse(text, "it begins with a scheme; leave that out");
    }
    RegistryReference reference;
    std::string name{text};
    if (const auto at = name.find('@'); at != std::string::npos) {
        reference.digest = Digest::parse(name.substr(at + 1));
        if (!reference.digest) {
            refuse(text, "after '@' comes sha256: and 64 hexadecimal digits");
        }
        name.resize(at);
    }
    // A ':' before the last '/' is the registry's port.
    const auto colon = name.rfind(':');
    if (colon != std::string::npos && name.find('/', colon) == std::string::npos) {
        reference.tag = name.substr(colon + 1);
        if (!is_tag(reference.tag)) {
            refuse(text, "a tag is 1 to 128 letters, digits, '_', '.' and '-', neither '.' nor '-' "
                         "first");
        }
        name.resize(colon);
    }
    std::tie(reference.registry, reference.repository) = split_registry(name);
    if (name.size() > max_name) {
        refuse(text, "its name has more than 255 characters");
    }
    if (!is_registry(reference.registry)) {
        refuse(text, "the registry is a host name or an address, with a port if need be");
    }
    if (!is_repository(reference.repository)) {
        refuse(text, "a name is lower-case letters and digits, with '.', '_', '-' and '/' between");
    }
    if (reference.registry == default_registry) {
        if (Digest::parse("sha256:" + name)) {
            refuse(text, "64 hexadecimal digits are an image's ID, not its name");
        }
        if (reference.repository.find('/') == std::string::npos) {
            reference.repository = "library/" + reference.repository;
        }
    }
    if (reference.tag.empty() && !reference.digest) {
        reference.tag = "latest";
    }
    return reference;
}

Reference parse_reference(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        refuse(text.substr(0, text.find('\0')), "it holds a NUL");
    }
    if (text.starts_with(directory_prefix)) {
        auto [directory, tag] = split_first_colon(text.substr(directory_prefix.size()));
        if (directory.empty()) {
            refuse(text, "there is no directory");
        }
        return OciDirectoryReference{std::move(directory), std::move(tag)};
    }
    if (text.starts_with(archive_prefix)) {
        auto [file, name] = split_first_colon(text.substr(archive_prefix.size()));
        if (file.empty()) {
            refuse(text, "there is no file");
        }
        return DockerArchiveReference{std::move(file),
                                      name.empty() ? "" : text_of(parse_registry_reference(name))};
    }
    return parse_registry_reference(text);
}

std::string to_string(const Reference &reference) {
    return std::visit([](const auto &kind) { return text_of(kind); }, reference);
}

std::string default_image_name(const Reference &reference) {
    return std::visit([](const auto &kind) { return as_artifact_name(default_name(kind)); },
                      reference);
}

} // namespace banger::oci
