#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace banger::kernel {

/// A stanza of `apt-cache show`, as far as it concerns us.
struct Package {
    std::string name;
    std::string version;
    std::string depends;
    std::uint64_t size = 0;
};
/// The first stanza. Throws Error{NotFound} when there is none.
Package parse_package(std::string_view text);
/// Every stanza that names a package and its version.
std::vector<Package> parse_packages(std::string_view text);

/// The package that a metapackage stands for: "linux-image-6.1.0-56-cloud-amd64". Throws
/// Error{NotFound}.
std::string kernel_package(const Package &metapackage);

} // namespace banger::kernel
