#include "daemon/image/build_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace banger::image {
namespace {

/// Without "=VERSION" or "/SUITE".
std::string name_of_package(const std::string &package) {
    return package.substr(0, package.find_first_of("=/"));
}

} // namespace

std::vector<std::string> packages_of(const catalog::Recipe &recipe,
                                     const std::vector<catalog::AptSource> &reached,
                                     const std::vector<std::string> &extra_packages) {
    std::set<std::string> replaced;
    for (const auto &source : reached) {
        replaced.insert(source.replaces.begin(), source.replaces.end());
    }
    std::vector<std::string> packages;
    for (const auto &package : recipe.packages) {
        if (!replaced.contains(name_of_package(package))) {
            packages.push_back(package);
        }
    }
    for (const auto &source : reached) {
        packages.insert(packages.end(), source.packages.begin(), source.packages.end());
    }
    packages.insert(packages.end(), extra_packages.begin(), extra_packages.end());
    return packages;
}

std::string source_line(const catalog::AptSource &source, const std::filesystem::path &key) {
    return fmt::format("deb [arch=amd64 signed-by={}] {} {} {}", key.string(), source.uri,
                       source.suite, fmt::join(source.components, " "));
}

std::string source_stanza(const catalog::AptSource &source) {
    std::string stanza =
        fmt::format("Types: deb\nURIs: {}\nSuites: {}\n", source.uri, source.suite);
    if (!source.components.empty()) {
        stanza += fmt::format("Components: {}\n", fmt::join(source.components, " "));
    }
    return stanza + "Architectures: amd64\n";
}

} // namespace banger::image
