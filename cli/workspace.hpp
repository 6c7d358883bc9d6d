#pragma once

#include "cli/git.hpp"
#include "cli/temporary_directory.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace banger::cli {

struct WorkspaceOptions {
    std::filesystem::path path = {}; ///< anywhere in the repository's work tree
    bool include_untracked = false;
    std::string branch = {}; ///< empty: the branch that is checked out
    std::string from = {};   ///< with a branch: begin from this commit, not from the working tree
};

/// A git repository on its way into a guest: which files, and where from.
class Workspace {
public:
    /// Finds the repository and lists it. Throws Error{InvalidArgument} or NotFound for what is no
    /// repository, bare, has submodules, and for a branch name or commit that git does not take.
    explicit Workspace(const WorkspaceOptions &options);

    /// The top of the work tree.
    const std::filesystem::path &root() const noexcept { return git_.directory(); }
    /// "/root/NAME": NAME is that of the top directory without leading dots, so that a repository
    /// called ".ssh" does not become the guest's.
    std::string guest_directory() const { return "/root/" + name_; }
    const std::string &name() const noexcept { return name_; }

    /// What is sent, relative to the root, in git's order.
    const std::vector<std::string> &files() const noexcept { return files_; }
    std::size_t untracked_left_out() const noexcept { return untracked_left_out_; }
    /// Untracked repositories inside this one: never sent.
    const std::vector<std::string> &nested_repositories() const noexcept { return nested_; }

    bool has_file(std::string_view name) const;

    const Git &git() const noexcept { return git_; }
    const WorkspaceOptions &options() const noexcept { return options_; }
    /// The commit to begin from: `from`, or HEAD; empty before the first commit.
    const std::string &commit() const noexcept { return commit_; }

private:
    void check_branch();
    void list_tracked();
    void list_untracked();

    WorkspaceOptions options_;
    Git git_;
    std::string name_;
    std::string commit_;
    std::vector<std::string> files_;
    std::vector<std::string> nested_;
    std::size_t untracked_left_out_ = 0;
};

} // namespace banger::cli
