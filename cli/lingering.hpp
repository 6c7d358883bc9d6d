#pragma once

#include <string>

namespace banger::cli {

/// The name of the user that this process runs as.
std::string user_name();

/// Whether the user's services outlive the last session (loginctl(1), enable-linger).
bool is_lingering();

/// Switches it on for this user; logind asks no password for that. Throws Error.
void enable_lingering();

} // namespace banger::cli
