#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

struct KernelPackage {
    std::filesystem::path deb;
    std::filesystem::path output; ///< an empty directory
};

/// Writes the kernel of a Debian package as assemble_kernel() does; its result is the worker's.
/// Nothing in it depends on the time or the place. Throws Error.
void take_kernel(const KernelPackage &package, Report &report);

} // namespace banger::image
