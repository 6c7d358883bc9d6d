#pragma once

#include "base/event_loop.hpp"
#include "base/process.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/transport.hpp"
#include "daemon/vmm/machine.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace banger::supervisor {

/// The running VMM of a machine, with all that must be there before it starts: its directory, its
/// tap, the transport of the channel. Destroying it kills the VMM.
class VmmProcess {
public:
    struct Callbacks {
        std::function<void(UniqueFd connection)> on_connected;
        /// The VMM's process has ended; `confinement_failed` when bubblewrap never started it. The
        /// last callback.
        std::function<void(int wait_status, bool confinement_failed)> on_exit;
    };
    /// Throws Error; then nothing was started.
    VmmProcess(EventLoop &loop, const vmm::Machine &machine, std::uint32_t tsc_khz,
               Callbacks callbacks);

    void kill() noexcept;
    pid_t pid() const noexcept { return child_.pid(); }

private:
    std::unique_ptr<Transport> transport_;
    UniqueFd confinement_status_;
    ChildProcess child_;
};

/// The VMM's own directory, below the VM's runtime directory: its sockets and nothing else.
std::filesystem::path vmm_directory(const std::filesystem::path &runtime_directory);

} // namespace banger::supervisor
