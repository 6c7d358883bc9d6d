#pragma once

#include "agent/agent/exec_table.hpp"
#include "agent/agent/loop.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace banger::agent {

enum class Init { Systemd, Other, Agent };
/// "systemd", "other", "agent".
std::string_view to_string(Init init) noexcept;
/// Other for what is none of them.
Init init_from(std::string_view name) noexcept;

/// The graceful end of the guest: execs, file systems, then the guest's own init. Bounded at every
/// step, so that a guest whose init hangs ends too, with its file systems synced and read-only.
class Shutdown {
public:
    Shutdown(Loop &loop, ExecTable &execs, Init init) : loop_(loop), execs_(execs), init_(init) {}

    /// `on_synced`: the execs have ended and the file systems are synced; call
    /// leave() then. Throws Error{Busy} if one is under way.
    void begin(std::chrono::milliseconds grace, std::function<void()> on_synced);
    /// Tells init to reboot, which ends the VMM.
    void leave();

private:
    void wait_for_execs();
    void sync_file_systems();

    Loop &loop_;
    ExecTable &execs_;
    Init init_;
    std::function<void()> on_synced_;
    std::chrono::steady_clock::time_point deadline_;
    std::chrono::steady_clock::time_point end_;
    bool begun_ = false;
    bool killed_ = false;
    Loop::Watch timer_;
    Loop::Watch child_;
};

/// Syncs, makes every file system read-only, and reboots the machine: the VMM exits. Returns only
/// if that is not possible.
void reboot_now() noexcept;

/// What the hook under systemd-shutdown does: tells the host which kind of end it is ("poweroff",
/// "reboot", "halt", "kexec"), then ends the machine.
int run_shutdown_hook(std::string_view kind);

} // namespace banger::agent
