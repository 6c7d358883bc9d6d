#include "cli/git.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace banger::cli {
namespace {

constexpr std::size_t max_output = 512UL << 20U;

// `git rev-parse --local-env-vars`, and what else leads git elsewhere.
constexpr std::array repository_variables{"GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                          "GIT_COMMON_DIR",
                                          "GIT_CONFIG",
                                          "GIT_CONFIG_COUNT",
                                          "GIT_CONFIG_PARAMETERS",
                                          "GIT_DIR",
                                          "GIT_GRAFT_FILE",
                                          "GIT_IMPLICIT_WORK_TREE",
                                          "GIT_INDEX_FILE",
                                          "GIT_NAMESPACE",
                                          "GIT_NO_REPLACE_OBJECTS",
                                          "GIT_OBJECT_DIRECTORY",
                                          "GIT_PREFIX",
                                          "GIT_REPLACE_REF_BASE",
                                          "GIT_SHALLOW_FILE",
                                          "GIT_WORK_TREE",
                                          "GIT_LITERAL_PATHSPECS"};

} // namespace

Git Git::with_index(const std::filesystem::path &index) const {
    Git git = *this;
    git.environment_.push_back("GIT_INDEX_FILE=" + index.native());
    return git;
}

std::string Git::read(std::vector<std::string> arguments) const {
    return run(std::move(arguments), std::nullopt);
}

std::string Git::line(std::vector<std::string> arguments) const {
    std::string output = read(std::move(arguments));
    if (output.ends_with('\n')) {
        output.pop_back();
    }
    return output;
}

std::optional<std::string> Git::try_line(std::vector<std::string> arguments) const {
    try {
        return line(std::move(arguments));
    } catch (const Error &) {
        return std::nullopt;
    }
}

std::string Git::feed(std::vector<std::string> arguments, std::string_view input) const {
    // A file in memory: a pipe could fill up while nobody reads what git says.
    const UniqueFd file{::memfd_create("git-input", MFD_CLOEXEC)};
    if (!file) {
        throw_errno("create a file in memory");
    }
    write_all(file.get(), input, "a file in memory");
    if (::lseek(file.get(), 0, SEEK_SET) != 0) {
        throw_errno("rewind a file in memory");
    }
    return run(std::move(arguments), file.get());
}

std::string Git::run(std::vector<std::string> arguments, std::optional<int> input) const {
    Command command;
    command.argv = {"git", "-C", directory_.native(), "-c", "core.fsmonitor=false"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = environment_;
    for (const char *setting : {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
                                "GIT_NO_LAZY_FETCH=1", "GIT_LITERAL_PATHSPECS=1"}) {
        command.environment.emplace_back(setting);
    }
    command.standard_input = input;
    command.die_with_parent = true;
    return run_and_read(std::move(command), max_output);
}

void forget_git_environment() {
    for (const char *name : repository_variables) {
        ::unsetenv(name);
    }
}

std::vector<std::string> split_nul(std::string_view list) {
    std::vector<std::string> items;
    while (!list.empty()) {
        const std::size_t end = list.find('\0');
        items.emplace_back(list.substr(0, end));
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
    return items;
}

std::string without_credentials(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) {
        return std::string(url);
    }
    const std::string_view scheme = url.substr(0, scheme_end);
    const std::size_t authority = scheme_end + 3;
    const std::size_t authority_end = std::min(url.find_first_of("/?#", authority), url.size());
    const std::size_t at = url.substr(0, authority_end).rfind('@');
    if (at == std::string_view::npos || at < authority) {
        return std::string(url);
    }
    const std::string_view user_info = url.substr(authority, at - authority);
    const std::string_view user = user_info.substr(0, user_info.find(':'));
    const bool keeps_user = scheme == "ssh" || scheme == "git+ssh" || scheme == "ssh+git";
    return keeps_user ? fmt::format("{}{}{}", url.substr(0, authority), user, url.substr(at))
                      : fmt::format("{}{}", url.substr(0, authority), url.substr(at + 1));
}

} // namespace banger::cli
