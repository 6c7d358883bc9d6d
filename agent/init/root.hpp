#pragma once

#include "agent/init/disks.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <vector>

namespace banger::init {

/// The guest's root file system, put together under one directory of the initramfs, and what is to
/// be mounted in it once it is the root.
struct GuestRoot {
    struct Bind {
        UniqueFd source;
        std::filesystem::path target;
    };
    std::filesystem::path path;
    std::vector<Bind> binds;
};

/// Overlay of the guest files, the modules, the image and the writable disk; /root from the work
/// disk; Docker's directories from the writable disk itself. Throws Error.
GuestRoot assemble_root(const Disks &disks, const std::filesystem::path &agent);

/// Makes it the root of this process: moves /dev, /proc and /sys, frees the memory of the
/// initramfs, mounts the binds. Throws Error.
void switch_root(const GuestRoot &root);

} // namespace banger::init
