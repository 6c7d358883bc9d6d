#include "daemon/kernel/package.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <charconv>

namespace banger::kernel {
namespace {

/// The value of a field of the stanza at the beginning of `text`; "" if it has none.
std::string field(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty()) {
            break;
        }
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
            return std::string(line.substr(name.size() + 2));
        }
    }
    return {};
}

Package package_from(std::string_view text) {
    Package package;
    package.name = field(text, "Package");
    package.version = field(text, "Version");
    package.depends = field(text, "Depends");
    const std::string size = field(text, "Size");
    std::from_chars(size.data(), size.data() + size.size(), package.size);
    return package;
}

} // namespace

Package parse_package(std::string_view text) {
    Package package = package_from(text);
    if (package.name.empty() || package.version.empty()) {
        fail(ErrorCode::NotFound, "the Debian archive has no such package");
    }
    return package;
}

std::vector<Package> parse_packages(std::string_view text) {
    constexpr std::string_view beginning = "Package: ";
    std::vector<Package> packages;
    while (!text.empty()) {
        // The empty lines between stanzas may have been lost on the way.
        const auto next = text.find(fmt::format("\n{}", beginning));
        Package package = package_from(text.substr(0, next));
        if (!package.name.empty() && !package.version.empty()) {
            packages.push_back(std::move(package));
        }
        text.remove_prefix(next == std::string_view::npos ? text.size() : next + 1);
    }
    return packages;
}

std::string kernel_package(const Package &metapackage) {
    const std::string &depends = metapackage.depends;
    const auto begin = depends.find("linux-image-");
    const auto end = depends.find_first_of(" ,|", begin);
    std::string name =
        begin == std::string::npos ? std::string{} : depends.substr(begin, end - begin);
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '.';
    });
    if (name.empty() || !plain) {
        fail(ErrorCode::NotFound, "the package {} names no kernel: {:?}", metapackage.name,
             depends);
    }
    return name;
}

} // namespace banger::kernel
