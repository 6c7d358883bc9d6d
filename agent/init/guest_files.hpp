#pragma once

#include <filesystem>

namespace banger::init {

/// Where the agent lies in the guest.
constexpr const char *agent_in_guest = "/usr/lib/banger/agent";
/// What the kernel would say if it had AppArmor disabled.
constexpr const char *apparmor_disabled_in_guest = "/usr/lib/banger/apparmor-disabled";

/// Writes into `directory` the layer that lies between image and writable disk: the agent, and the
/// few files that make any image a guest. A file here hides the image's; what the user writes later
/// hides ours.
void write_guest_files(const std::filesystem::path &directory, const std::filesystem::path &agent,
                       const std::filesystem::path &image);

} // namespace banger::init
