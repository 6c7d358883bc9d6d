#pragma once

#include <string_view>

namespace banger::agent {

/// One line to standard error, which banger-init connects to the kernel's log.
void log(std::string_view message) noexcept;

} // namespace banger::agent
