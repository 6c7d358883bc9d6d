#pragma once

#include "cli/verbs.hpp"

#include <memory>
#include <string>
#include <vector>

namespace banger::cli {

/// The whole tree of verbs. The context must outlive it.
std::unique_ptr<CLI::App> make_command_line(Context &context);

/// Parses the arguments (without the program's name) and runs what they ask for. Returns the exit
/// status; errors are printed.
int run_command_line(std::vector<std::string> arguments);

} // namespace banger::cli
