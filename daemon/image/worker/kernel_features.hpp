#pragma once

#include "daemon/image/worker/modules.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace banger::image {

/// What is known of a kernel's drivers.
struct KernelFeatures {
    ModuleDependencies modules;
    /// What is built in; none: nothing says so, and whatever is no module may be.
    std::optional<ModuleNames> builtin;

    bool lacks(std::string_view module) const {
        return builtin && builtin->find(module) == builtin->end() && !modules.contains(module);
    }
};

/// Of the modules that concern VMs, those that a kernel's configuration (.config) builds in.
ModuleNames builtin_by_config(std::string_view config);

/// What the initramfs loads, before the guest's disks and its channel are there.
std::span<const std::string_view> boot_modules();

/// What the kernel lacks of all that VMs and Docker in them use, by the name of the module. Throws
/// Error{Unsupported} that names everything without which no VM starts.
std::vector<std::string> missing_features(const KernelFeatures &kernel);

} // namespace banger::image
