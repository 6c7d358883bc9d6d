#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

/// A kernel of the user's own. All paths but `output` may be anybody's.
struct KernelImport {
    /// A vmlinux or bzImage, or a directory with one and perhaps its modules: what a package holds,
    /// a root file system, or a tree that the kernel was built in.
    std::filesystem::path from;
    /// Holds the modules: lib/modules/RELEASE, RELEASE, or is that itself. Empty: those in `from`.
    std::filesystem::path modules;
    std::filesystem::path initrd; ///< empty: none
    std::filesystem::path output; ///< an empty directory
};

/// Writes it as assemble_kernel() does; its result is the worker's. Throws Error that says what is
/// wrong with which file.
void import_kernel(const KernelImport &import, Report &report);

} // namespace banger::image
