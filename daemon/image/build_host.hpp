#pragma once

#include "base/process.hpp"
#include "daemon/image/build_plan.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace banger::image {

/// What a build needs of this host, and the command lines for it.

/// Throws Error{Unsupported} that says what is missing and how to get it: mmdebstrap, newuidmap,
/// subordinate ids.
void require_build_tools();

/// A directory on a disk, which the subordinate users of a namespace can pass through. Throws
/// Error.
std::filesystem::path make_build_directory(const std::filesystem::path &parent);
/// Directories of this kind that belong to this user.
std::vector<std::filesystem::path> build_directories(const std::filesystem::path &parent);

/// Writes the planned root as a tar to standard output.
Command debootstrap_command(const BuildPlan &plan, const std::filesystem::path &build_directory);

/// The command in the care of `guard` (banger-build-guard): it does not outlive this process, and
/// the directory is locked while anything of it runs.
Command guarded(Command command, const std::filesystem::path &guard,
                const std::filesystem::path &build_directory);

/// Empties what lies in a build's directory and belongs to subordinate users, so that this user can
/// remove the rest, once nothing of the build runs; nullopt when there is no such thing.
std::optional<Command> emptying_command(const std::filesystem::path &build_directory);

} // namespace banger::image
