#pragma once

#include <string>
#include <string_view>

namespace banger::image {

/// The ELF file inside a bzImage (Documentation/arch/x86/boot.rst, payload_offset), whatever it is
/// compressed with. `what` names the image in messages. Throws Error{ImageCorrupt}.
std::string vmlinux_from_bzimage(std::string_view image, std::string_view what);

} // namespace banger::image
