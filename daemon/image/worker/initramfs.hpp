#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

struct InitramfsParts {
    std::filesystem::path kernel_directory; ///< as take_kernel() writes it
    std::filesystem::path init;             ///< static program, becomes /init
    std::filesystem::path agent;            ///< static program, becomes /banger/agent
    std::filesystem::path output;
};

/// An uncompressed cpio (newc): /init, /banger/agent, the boot modules in /banger/modules.d, and
/// /banger/modules with their paths in the order to load them, one a line. Uncompressed, because it
/// is small and unpacking costs the guest more than reading. Result: {"digest"}. Throws Error.
void write_initramfs(const InitramfsParts &parts, Report &report);

} // namespace banger::image
