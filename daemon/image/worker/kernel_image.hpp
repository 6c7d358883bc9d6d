#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace banger::image {

/// Of a kernel as it comes, bytes.
constexpr std::size_t max_kernel_image = 512U << 20U;

/// What Firecracker and QEMU's microvm start: an uncompressed ELF file for x86-64 with the PVH
/// entry. `image` is that, or a bzImage; `what` names it in messages. Throws Error: ImageCorrupt
/// where it is no kernel, Unsupported where it is one for another machine, or without PVH.
std::string bootable_vmlinux(std::string image, std::string_view what);

/// What `uname -r` will say, from the kernel's banner. Throws Error{ImageCorrupt}.
std::string kernel_release(std::string_view vmlinux);

/// The configuration that the kernel was built with, where it carries it (CONFIG_IKCONFIG).
std::optional<std::string> embedded_config(std::string_view vmlinux);

} // namespace banger::image
