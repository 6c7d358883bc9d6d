#pragma once

#include "base/process.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::kernel {

/// apt with a state of its own, for a user without privilege: nothing of the host's is changed.
class PrivateApt {
public:
    /// Makes the directories below `directory`. Throws Error.
    PrivateApt(std::filesystem::path directory, const std::vector<std::string> &source_lines);

    Command update() const;
    /// Prints the newest stanza of each.
    Command show(const std::vector<std::string> &packages) const;
    /// Prints the names of all packages that begin so.
    Command names(const std::string &prefix) const;
    /// Downloads into the directory packages().
    Command download(const std::string &package) const;
    std::filesystem::path packages() const { return directory_ / "packages"; }

private:
    Command command(std::string program, std::vector<std::string> arguments) const;

    std::filesystem::path directory_;
};

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

/// "dlstatus:1:44.81:Retrieving file 1 of 2" → 0.4481.
std::optional<double> download_fraction(std::string_view status_line);

} // namespace banger::kernel
