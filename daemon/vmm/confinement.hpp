#pragma once

#include "base/process.hpp"
#include "daemon/vmm/launch.hpp"

#include <filesystem>
#include <optional>

namespace banger::vmm {

/// What the confined VMM sees: a root of its own with /usr read-only, /dev with the usual
/// harmless nodes and the devices of the launch, and /vm, which is its directory on the host, with
/// the launch's files on top under their names. No home, no /run, no bus, no other process; user,
/// mount, IPC, UTS, PID and (where the tap comes as a descriptor) network namespaces of its own; no
/// capability, and no way to new privileges.
struct Confinement {
    std::filesystem::path bubblewrap = "/usr/bin/bwrap";
    /// Of this process: bubblewrap writes {"exit-code": N} to it when the program that it had
    /// confined ended; nothing when it could not confine it.
    std::optional<int> status_descriptor{};
};

/// The launch under bubblewrap. `directory` is the VMM's on the host; `tap` the opened tap where
/// the launch wants one.
Command confined_command(const Launch &launch, const std::filesystem::path &directory,
                         const Confinement &confinement, std::optional<int> tap);

/// The launch with all the rights of this user, in `directory`; the launch's files must be linked
/// there.
Command unconfined_command(const Launch &launch, const std::filesystem::path &directory,
                           std::optional<int> tap);

} // namespace banger::vmm
