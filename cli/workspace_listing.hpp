#pragma once

#include "cli/workspace.hpp"

namespace banger::cli {

/// The list of files on standard output, one a line in git's quoting, or as JSON; what is left out
/// goes to standard error.
void print_listing(const Workspace &workspace, bool json);

/// One notice about untracked files that stay here, and a warning for each repository inside.
void print_left_out(const Workspace &workspace);

} // namespace banger::cli
