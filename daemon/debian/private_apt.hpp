#pragma once

#include "base/process.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::debian {

/// apt with a state of its own, for a user without privilege: nothing of the host's is changed.
class PrivateApt {
public:
    /// Makes the directories below `directory`. Throws Error.
    PrivateApt(std::filesystem::path directory, const std::vector<std::string> &source_lines);

    /// The archives that the other commands are about, from now on; lists that were read stay.
    void use(const std::vector<std::string> &source_lines);

    Command update() const;
    /// For an archive that is not worth a long wait: tried once, ten seconds without a byte.
    Command update_briefly() const;
    /// Prints the newest stanza of each.
    Command show(const std::vector<std::string> &packages) const;
    /// Prints the names of all packages that begin so.
    Command names(const std::string &prefix) const;
    /// Downloads into the directory packages().
    Command download(const std::string &package) const;
    /// Fails where these packages cannot be installed together, on nothing and without what they
    /// recommend.
    Command try_install(const std::vector<std::string> &names) const;

    std::filesystem::path packages() const { return directory_ / "packages"; }
    /// The lists that were read, and whose signatures are right.
    std::vector<std::filesystem::path> lists() const;

private:
    Command command(std::string program, std::vector<std::string> arguments) const;

    std::filesystem::path directory_;
};

/// When the newest of these archives was published, in seconds since the epoch; the lists are as
/// from PrivateApt::lists(). 0 when none says. Throws Error.
std::int64_t newest_release(const std::vector<std::filesystem::path> &lists);

/// "dlstatus:1:44.81:Retrieving file 1 of 2" → 0.4481.
std::optional<double> download_fraction(std::string_view status_line);

} // namespace banger::debian
