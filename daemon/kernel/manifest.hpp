#pragma once

#include "daemon/kernel/registry.hpp"

#include <string>
#include <string_view>

namespace banger::kernel {

/// manifest.json of a kernel, format 1.
std::string to_json(const Kernel &kernel);
/// `directory` is where it was found. Throws Error{ImageCorrupt} that names what is wrong.
Kernel kernel_from_json(std::string_view text, const std::filesystem::path &directory);

} // namespace banger::kernel
