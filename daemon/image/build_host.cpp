#include "daemon/image/build_host.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view search_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_installed(std::string_view program) {
    std::istringstream directories{std::string(search_path)};
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (::access((fs::path{directory} / program).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

std::string user_name() {
    const passwd *entry = ::getpwuid(::getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

/// Whether subuid(5) gives the user a range of the size that a Debian root needs.
bool has_range(const fs::path &file, const std::string &user) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return false;
    }
    std::istringstream lines{read_file(file, 1U << 20U)};
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.rfind(':');
        const std::string_view owner = std::string_view{line}.substr(0, first);
        if (first != second && (owner == user || owner == std::to_string(::getuid())) &&
            std::atoll(line.c_str() + second + 1) >= 65536) {
            return true;
        }
    }
    return false;
}

/// As mmdebstrap takes apart what a special hook is given: like a shell.
std::vector<std::string> quoted(const std::vector<fs::path> &paths) {
    std::vector<std::string> words;
    for (const auto &path : paths) {
        std::string word;
        for (const char c : path.string()) {
            word += std::string(c == '\'' ? "'\\''" : "") + (c == '\'' ? "" : std::string(1, c));
        }
        words.push_back("'" + word + "'");
    }
    return words;
}

std::string directory_prefix() {
    return fmt::format("banger-build-{}.", ::getuid());
}

} // namespace

void require_build_tools() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> needed{
        {{"mmdebstrap", "mmdebstrap"}, {"newuidmap", "uidmap"}, {"apt-get", "apt"}}};
    for (const auto &[program, package] : needed) {
        if (!is_installed(program)) {
            fail(ErrorCode::Unsupported,
                 "{} is missing, which builds images: install the package {}", program, package);
        }
    }
    const std::string user = user_name();
    for (const char *file : {"/etc/subuid", "/etc/subgid"}) {
        if (!has_range(file, user)) {
            fail(ErrorCode::Unsupported,
                 "{} gives {} no 65536 subordinate ids, which a build needs: run `sudo usermod "
                 "--add-subuids 100000-165535 --add-subgids 100000-165535 {}`, with a range that "
                 "nobody else has",
                 file, user, user);
        }
    }
}

fs::path make_build_directory(const fs::path &parent) {
    std::string pattern = (parent / (directory_prefix() + "XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a directory in " + parent.string());
    }
    // The namespace's users are others than this one: they pass through, and can list nothing.
    if (::chmod(pattern.c_str(), 0711) != 0) {
        throw_errno("open " + pattern);
    }
    return pattern;
}

std::vector<fs::path> build_directories(const fs::path &parent) {
    std::vector<fs::path> found;
    std::error_code ignored;
    for (fs::directory_iterator i{parent, ignored}, end; i != end; i.increment(ignored)) {
        struct stat status {};
        if (i->path().filename().string().starts_with(directory_prefix()) &&
            ::lstat(i->path().c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
            status.st_uid == ::getuid()) {
            found.push_back(i->path());
        }
    }
    return found;
}

Command debootstrap_command(const BuildPlan &plan, const fs::path &build_directory) {
    Command command;
    command.argv = {"mmdebstrap", "--verbose", "--mode=unshare", "--format=tar",
                    "--architectures=amd64", fmt::format("--variant={}", plan.variant),
                    fmt::format("--include={}", fmt::join(plan.packages, ",")),
                    "--aptopt=" + plan.apt_settings.string(),
                    // The lists are those that the plan was made by.
                    "--skip=update",
                    fmt::format("--setup-hook=copy-in {} /var/lib/apt/lists",
                                fmt::join(quoted(plan.lists), " "))};
    for (const auto &tar : plan.before) {
        command.argv.push_back(fmt::format("--setup-hook=tar-in {} /", tar.string()));
    }
    for (const auto &tar : plan.after) {
        command.argv.push_back(fmt::format("--customize-hook=tar-in {} /", tar.string()));
    }
    command.argv.insert(command.argv.end(), {plan.suite, "-"});
    command.argv.insert(command.argv.end(), plan.source_lines.begin(), plan.source_lines.end());
    command.environment = {"TMPDIR=" + build_directory.string(),
                           fmt::format("PATH={}", search_path), "LC_ALL=C.UTF-8",
                           "DEBIAN_FRONTEND=noninteractive"};
    if (plan.date != 0) {
        command.environment.push_back(fmt::format("SOURCE_DATE_EPOCH={}", plan.date));
    }
    command.die_with_parent = true;
    command.working_directory = "/";
    return command;
}

Command guarded(Command command, const fs::path &guard, const fs::path &build_directory) {
    command.argv.insert(command.argv.begin(), {guard.string(), build_directory.string()});
    return command;
}

std::optional<Command> emptying_command(const fs::path &build_directory) {
    Command command;
    // Inside, this user is nobody: only what is below the trees themselves can be removed there.
    command.argv = {"flock", build_directory.string(), "mmdebstrap", "--unshare-helper", "find"};
    const std::size_t without_trees = command.argv.size();
    std::error_code ignored;
    for (fs::directory_iterator i{build_directory, ignored}, end; i != end; i.increment(ignored)) {
        struct stat status {};
        if (::lstat(i->path().c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
            status.st_uid != ::getuid()) {
            command.argv.push_back(i->path().string());
        }
    }
    if (command.argv.size() == without_trees) {
        return std::nullopt;
    }
    command.argv.insert(command.argv.end(), {"-xdev", "-mindepth", "1", "-delete"});
    command.environment = {fmt::format("PATH={}", search_path), "LC_ALL=C.UTF-8"};
    command.working_directory = "/";
    return command;
}

} // namespace banger::image
