#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace banger::image {

struct InitramfsParts {
    std::filesystem::path kernel_directory; ///< as assemble_kernel() writes it
    std::filesystem::path init;             ///< static program, becomes /init
    std::filesystem::path agent;            ///< static program, becomes /banger/agent
    std::filesystem::path output;
};

/// Names of the boot modules of a kernel, in the order to load them. Throws Error{ImageCorrupt}.
std::vector<std::string> boot_module_order(const std::filesystem::path &kernel_directory);

/// The kernel's own initrd, where it has one, and behind it an uncompressed cpio (newc): /init,
/// /banger/agent, the boot modules in /banger/modules.d, and /banger/modules with their paths in
/// the order to load them, one a line. The kernel unpacks both, and a later file goes before an
/// earlier one of the same name. Uncompressed, because it is small and unpacking costs the guest
/// more than reading. Result: {"digest"}. Throws Error.
void write_initramfs(const InitramfsParts &parts, Report &report);

} // namespace banger::image
