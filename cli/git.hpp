#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::cli {

/// git(1) on one directory. Starts no file system monitor and takes no optional lock.
class Git {
public:
    explicit Git(std::filesystem::path directory) : directory_(std::move(directory)) {}

    const std::filesystem::path &directory() const noexcept { return directory_; }
    /// The same with this file as the index.
    Git with_index(const std::filesystem::path &index) const;

    /// Standard output. Throws Error with git's own words.
    std::string read(std::vector<std::string> arguments) const;
    /// Standard output without its last newline.
    std::string line(std::vector<std::string> arguments) const;
    /// The same; none when git fails.
    std::optional<std::string> try_line(std::vector<std::string> arguments) const;
    /// With `input` as standard input.
    std::string feed(std::vector<std::string> arguments, std::string_view input) const;

private:
    std::string run(std::vector<std::string> arguments, std::optional<int> input) const;

    std::filesystem::path directory_;
    std::vector<std::string> environment_;
};

/// Takes GIT_DIR and its like out of this process's environment: a hook that runs banger must not
/// redirect it to its own repository. Call while there is one thread.
void forget_git_environment();

/// The items of a list with NUL after each.
std::vector<std::string> split_nul(std::string_view list);

/// The URL without password or token: "https://token@host/x" is "https://host/x", but
/// "ssh://git@host/x" and "git@host:x" stay.
std::string without_credentials(std::string_view url);

} // namespace banger::cli
