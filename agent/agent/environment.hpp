#pragma once

#include "agent/agent/users.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace banger::agent {

/// NAME=VALUE, as execve(2) takes it.
using Environment = std::vector<std::string>;

/// What a login of that user gets: HOME, USER, LOGNAME, SHELL, PATH, and what the guest's
/// environment(5) and locale files set.
Environment login_environment(const User &user, const std::filesystem::path &etc = "/etc");
/// Adds the variable or replaces it.
void set_variable(Environment &environment, std::string_view assignment);
/// The value; empty if it is not set.
std::string_view variable(const Environment &environment, std::string_view name);

} // namespace banger::agent
