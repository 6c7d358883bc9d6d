#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace banger::cli {

/// The text of an ssh_config(5) with our fenced block at its top, where an Include holds for all
/// hosts. A block that is there already is replaced.
std::string with_include(std::string_view text, const std::filesystem::path &included);

/// The text without our block; every other byte stays.
std::string without_include(std::string_view text);

bool has_include(std::string_view text);

/// The line for people who put it there themselves.
std::string include_line(const std::filesystem::path &included);

} // namespace banger::cli
