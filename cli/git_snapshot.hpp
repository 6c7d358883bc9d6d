#pragma once

#include "cli/workspace.hpp"

#include <filesystem>

namespace banger::cli {

/// Makes `directory` a .git that stands for the workspace's repository in a guest, so that `git
/// status` says there what it says here:
/// - HEAD, the index, the objects of both, and the tags on the way. The whole history of HEAD where
///   the repository holds less than 128 MiB; else, and for a partial clone, the last commit.
/// - of the configuration what git status depends on, identity, remotes and upstreams. Passwords
///   and tokens in URLs, credential helpers, headers, hooks and commands are not copied.
/// It is made from what git says, so worktrees, alternates and split indexes need no care.
/// Throws Error.
void make_git_snapshot(const Workspace &workspace, const std::filesystem::path &directory);

} // namespace banger::cli
