#pragma once

#include "agent/identity/identity.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace banger::identity {

/// Makes the guest under `root` be what the identity says: idempotent, used by banger-init on the
/// root that the guest's init will start in, and by the agent on "/" while the guest runs. A part
/// that fails is told to `warn` and the others are done: a guest with an odd /etc still boots.
/// The clock is apart.
void apply(const Identity &identity, const std::filesystem::path &root,
           const std::function<void(std::string_view)> &warn);

/// The parts.
void apply_files(const Identity &identity, const std::filesystem::path &root);
void apply_ssh(const Identity &identity, const std::filesystem::path &root);
void apply_home(const Identity &identity, const std::filesystem::path &root);
void apply_hostname(const Identity &identity);
/// Address and default route of the link that has the identity's MAC; the loopback link up.
void apply_network(const Identity &identity);
/// Sets the clock if it is more than a second off. `realtime_usec` 0 leaves it.
void apply_clock(const Identity &identity);
/// For a guest that has just booted: the identity was written before that, so its time and the time
/// since the boot are what the clock cannot be behind of. A clock that is not is the better one.
void apply_clock_at_boot(const Identity &identity);

/// `content` with the lines of ours in it: what stood between our two marks is replaced, else the
/// block goes to the front or the end. Everything else is the user's and stays.
std::string with_block(std::string_view content, std::string_view block, bool at_front);

} // namespace banger::identity
