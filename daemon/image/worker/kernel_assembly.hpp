#pragma once

#include "daemon/ext4/metadata.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace banger::image {

/// What a kernel is made of, wherever it came from.
struct KernelParts {
    std::string vmlinux;                ///< as bootable_vmlinux() gives it
    std::string release;                ///< as kernel_release() does
    std::filesystem::path modules_root; ///< lib/modules/RELEASE is in it, ours; empty: no modules
    ext4::Time newest;                  ///< of the modules: the time of all that is written
    std::optional<std::string> config;  ///< the configuration it was built with
    std::string initrd;                 ///< the user's own; empty: none
};

/// Writes into `output`, an empty directory:
///
///     vmlinux         uncompressed ELF
///     modules.ext4    usr/lib/modules/RELEASE, with what depmod(8) makes; if there are modules
///     boot-modules/   what the initramfs loads, uncompressed; `order` lists the files in the order
///     to load them
///     initrd          unpacked before banger's own; if there is one
///
/// The result is describe_kernel()'s, with "missing": names of modules that VMs or Docker in them
/// would use, and "features_known": whether all could be looked for. Equal parts give equal
/// digests. Throws Error.
nlohmann::json assemble_kernel(const KernelParts &parts, const std::filesystem::path &output);

} // namespace banger::image
