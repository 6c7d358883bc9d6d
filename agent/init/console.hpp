#pragma once

#include <string_view>

namespace banger::init {

/// One line to the kernel's log, for whoever reads the console.
void warn(std::string_view message) noexcept;

} // namespace banger::init
