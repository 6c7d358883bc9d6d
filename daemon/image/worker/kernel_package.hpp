#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

struct KernelPackage {
    std::filesystem::path deb;
    std::filesystem::path output; ///< an empty directory
};

/// Writes into the output directory:
///
///     vmlinux         uncompressed ELF
///     modules.ext4    usr/lib/modules/RELEASE, with what depmod(8) makes
///     boot-modules/   what the initramfs needs, uncompressed; `order` lists the files in the order
///     to load them
///
/// Result: {"release","digest","size"}. Nothing in them depends on the time or the place. Throws
/// Error.
void take_kernel(const KernelPackage &package, Report &report);

} // namespace banger::image
