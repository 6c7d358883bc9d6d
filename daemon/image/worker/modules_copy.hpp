#pragma once

#include "daemon/ext4/metadata.hpp"
#include "daemon/image/worker/report.hpp"

#include <filesystem>

namespace banger::image {

/// Copies a directory lib/modules/RELEASE that somebody else made, to where depmod may write. Left
/// out are the links to the kernel's source, and what is no module's: its own image. A symbolic
/// link is copied as the file that it leads to inside of `from`. Returns the newest time of them.
/// Throws Error: InvalidArgument for links that lead outside and for what is neither file nor
/// directory, LimitsExceeded.
ext4::Time copy_modules(const std::filesystem::path &from, const std::filesystem::path &to,
                        Report &report);

/// Whether `path`, followed to its end, lies in `directory`, which is as canonical(3) gives it.
bool leads_inside(const std::filesystem::path &directory, const std::filesystem::path &path);

} // namespace banger::image
