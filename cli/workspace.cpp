#include "cli/workspace.hpp"

#include "base/error.hpp"
#include "cli/format.hpp"
#include "cli/tree_reader.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <system_error>

namespace banger::cli {
namespace {

bool is_sendable(const struct stat &status) {
    return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
}

Git find_repository(const std::filesystem::path &path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        fail(ErrorCode::NotFound, "there is no {}", quote_path(path.native()));
    }
    if (!std::filesystem::is_directory(path, error)) {
        fail(ErrorCode::InvalidArgument, "{} is no directory: name a git repository",
             quote_path(path.native()));
    }
    forget_git_environment();
    const Git git(path);
    std::string answer;
    try {
        answer = git.read({"rev-parse", "--is-bare-repository", "--is-inside-work-tree"});
    } catch (const Error &e) {
        if (e.code() == ErrorCode::NotFound ||
            std::string_view{e.what()}.find("not a git repository") == std::string_view::npos) {
            throw;
        }
        fail(ErrorCode::InvalidArgument,
             "{} is no git repository: run `git init` and `git add` there, or `banger vm run` "
             "without a path",
             quote_path(path.native()));
    }
    if (answer.starts_with("true")) {
        fail(ErrorCode::InvalidArgument,
             "{} is a bare repository: banger sends a working tree, so clone it first",
             quote_path(path.native()));
    }
    if (answer != "false\ntrue\n") {
        fail(ErrorCode::InvalidArgument, "{} is inside a .git directory: name the working tree",
             quote_path(path.native()));
    }
    return Git{git.line({"rev-parse", "--show-toplevel"})};
}

std::string guest_name(const std::filesystem::path &root) {
    std::string name = root.filename().native();
    name.erase(0, name.find_first_not_of('.'));
    return name.empty() ? "repo" : name;
}

} // namespace

Workspace::Workspace(const WorkspaceOptions &options)
    : options_(options), git_(find_repository(options.path)), name_(guest_name(git_.directory())) {
    if (!options_.from.empty() && options_.branch.empty()) {
        fail(ErrorCode::InvalidArgument, "--from needs --branch, the name of the new branch");
    }
    check_branch();
    list_tracked();
    list_untracked();
}

void Workspace::check_branch() {
    if (!options_.branch.empty() &&
        !git_.try_line({"check-ref-format", "refs/heads/" + options_.branch})) {
        fail(ErrorCode::InvalidArgument, "git does not take '{}' as the name of a branch",
             options_.branch);
    }
    const std::string start = options_.from.empty() ? "HEAD" : options_.from;
    const auto commit = git_.try_line(
        {"rev-parse", "--verify", "--quiet", "--end-of-options", start + "^{commit}"});
    if (!commit && !options_.from.empty()) {
        fail(ErrorCode::NotFound, "there is no commit '{}' in {}", options_.from,
             quote_path(root().native()));
    }
    commit_ = commit.value_or("");
}

void Workspace::list_tracked() {
    // "MODE OBJECT STAGE\tPATH", or of a tree "MODE TYPE OBJECT\tPATH".
    const std::string listing = options_.from.empty()
                                    ? git_.read({"ls-files", "--stage", "-z"})
                                    : git_.read({"ls-tree", "-r", "-z", "--full-tree", commit_});
    TreeReader reader(root());
    for (const std::string &entry : split_nul(listing)) {
        std::string path = entry.substr(entry.find('\t') + 1);
        if (entry.starts_with("160000 ")) {
            fail(ErrorCode::InvalidArgument,
                 "{} has a submodule ({}), which banger does not send: run banger in a clone "
                 "without submodules",
                 quote_path(root().native()), quote_path(path));
        }
        // A path with a conflict is listed once for each side.
        if (!files_.empty() && files_.back() == path) {
            continue;
        }
        if (options_.from.empty()) {
            const auto status = reader.stat(path);
            if (!status || !is_sendable(*status)) {
                continue;
            }
        }
        files_.push_back(std::move(path));
    }
}

void Workspace::list_untracked() {
    const std::set<std::string, std::less<>> tracked(files_.begin(), files_.end());
    TreeReader reader(root());
    for (std::string &path :
         split_nul(git_.read({"ls-files", "--others", "--exclude-standard", "-z"}))) {
        if (path.ends_with('/')) {
            nested_.push_back(std::move(path));
            continue;
        }
        const auto status = reader.stat(path);
        if (!status || !is_sendable(*status)) {
            continue;
        }
        if (!options_.include_untracked) {
            ++untracked_left_out_;
        } else if (!tracked.contains(path)) {
            files_.push_back(std::move(path));
        }
    }
}

bool Workspace::has_file(std::string_view name) const {
    return std::find(files_.begin(), files_.end(), name) != files_.end();
}

} // namespace banger::cli
