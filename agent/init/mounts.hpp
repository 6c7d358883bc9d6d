#pragma once

#include "base/unique_fd.hpp"

#include <filesystem>
#include <string>

namespace banger::init {

/// mount(2) on a directory that is made if it is missing. Throws Error that names the target.
void mount_at(const std::string &source, const std::filesystem::path &target,
              const std::string &type, unsigned long flags, const std::string &options = {});

/// Bind-mounts the directory that `source` is open at (O_PATH) on `target`; by descriptor, so that
/// it works across a change of the root directory, and no symlink of a guest leads astray.
void bind_at(const UniqueFd &source, const std::filesystem::path &target);

/// open(2) with O_PATH of a directory that is made if it is missing.
UniqueFd open_directory(const std::filesystem::path &path, mode_t mode);

/// /dev, /proc and /sys, as the kernel's first process finds them missing.
void mount_kernel_file_systems();

} // namespace banger::init
