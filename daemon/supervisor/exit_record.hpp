#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace banger::supervisor {

/// How a VM came to its end.
enum class ExitReason {
    Stopped,
    Poweroff,
    Halt,
    Reboot,
    Panic,
    VmmCrashed,
    Killed,
    OutOfMemory,
    StartFailed,
};
std::string_view to_string(ExitReason reason) noexcept;

/// `last-exit.json` in the VM's state directory (docs/architecture.md).
struct ExitRecord {
    ExitReason reason = ExitReason::Stopped;
    std::string message;
    /// The guest's file systems were shut down in order.
    bool clean = false;

    /// The unit ends `inactive`, not `failed`.
    bool success() const noexcept;
};

std::string to_json(const ExitRecord &record, std::uint64_t time_usec);
/// Writes last-exit.json with the present time. Logs what goes wrong: nothing else can be done.
void store(const ExitRecord &record, const std::filesystem::path &state_directory) noexcept;

/// What is known when the VMM's process has ended.
struct VmmEnd {
    int wait_status = 0;
    /// It ran under bubblewrap, which reports death by signal N as status 128+N.
    bool confined = true;
    /// bubblewrap gave up before it had started the VMM.
    bool confinement_failed = false;
    /// "poweroff", "halt" or "reboot", as the guest's agent announced it.
    std::optional<std::string> announced;
    bool agent_was_ready = false;
    bool stop_requested = false;
    bool killed_by_us = false;
    /// The kernel killed a process of this unit for want of memory.
    bool out_of_memory = false;
    std::string vmm; ///< "QEMU", for messages
};

ExitRecord classify(const VmmEnd &end);

/// What systemd tells an ExecStopPost= about the main process (systemd.exec(5)).
struct ServiceResult {
    std::string result; ///< $SERVICE_RESULT
    std::string code;   ///< $EXIT_CODE
    std::string status; ///< $EXIT_STATUS
    bool out_of_memory = false;
};

/// Nothing when the supervisor ended by itself: then it has written its own record.
std::optional<ExitRecord> classify(const ServiceResult &service);

} // namespace banger::supervisor
