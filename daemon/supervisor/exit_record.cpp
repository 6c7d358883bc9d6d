#include "daemon/supervisor/exit_record.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <chrono>
#include <csignal>

namespace banger::supervisor {
namespace {

/// The signal that ended the VMM, or 0. Firecracker's own exit statuses begin at 148.
int fatal_signal(const VmmEnd &end) {
    if (WIFSIGNALED(end.wait_status)) {
        return WTERMSIG(end.wait_status);
    }
    const int status = WEXITSTATUS(end.wait_status);
    return end.confined && status > 128 && status < 148 ? status - 128 : 0;
}

std::string describe(const VmmEnd &end) {
    const int signal_number = fatal_signal(end);
    return fmt::format("{} {}", end.vmm,
                       describe_exit(signal_number != 0 ? signal_number : end.wait_status));
}

} // namespace

std::string_view to_string(ExitReason reason) noexcept {
    switch (reason) {
    case ExitReason::Stopped:
        return "stopped";
    case ExitReason::Poweroff:
        return "poweroff";
    case ExitReason::Halt:
        return "halt";
    case ExitReason::Reboot:
        return "reboot";
    case ExitReason::Panic:
        return "panic";
    case ExitReason::VmmCrashed:
        return "vmm-crashed";
    case ExitReason::Killed:
        return "killed";
    case ExitReason::OutOfMemory:
        return "out-of-memory";
    case ExitReason::StartFailed:
        return "start-failed";
    }
    return "vmm-crashed";
}

bool ExitRecord::success() const noexcept {
    return reason == ExitReason::Stopped || reason == ExitReason::Poweroff ||
           reason == ExitReason::Halt || reason == ExitReason::Reboot;
}

std::string to_json(const ExitRecord &record, std::uint64_t time_usec) {
    const nlohmann::ordered_json json{
        {"reason", to_string(record.reason)},
        {"message", record.message},
        {"time_usec", time_usec},
        {"clean", record.clean},
    };
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void store(const ExitRecord &record, const std::filesystem::path &state_directory) noexcept {
    try {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
        write_file_atomically(state_directory / "last-exit.json",
                              to_json(record, static_cast<std::uint64_t>(usec)));
    } catch (const std::exception &e) {
        log::warning(fmt::format("could not record how the VM ended: {}", e.what()));
    }
}

ExitRecord classify(const VmmEnd &end) {
    const bool exited_by_itself = WIFEXITED(end.wait_status) && WEXITSTATUS(end.wait_status) == 0;
    if (end.confinement_failed) {
        return {ExitReason::StartFailed,
                "bubblewrap could not confine the VMM; its complaint is in the unit's journal. "
                "Unprivileged user namespaces must be allowed (sysctl user.max_user_namespaces, "
                "and AppArmor's kernel.apparmor_restrict_unprivileged_userns=0)",
                false};
    }
    if (end.out_of_memory && !exited_by_itself && !end.killed_by_us) {
        return {ExitReason::OutOfMemory,
                fmt::format("{} was killed because the unit reached its memory limit "
                            "(MemoryMax=): give the VM more with --memory",
                            end.vmm),
                false};
    }
    if (end.stop_requested) {
        if (end.killed_by_us || !exited_by_itself) {
            return {ExitReason::Stopped,
                    end.agent_was_ready ? "the guest did not shut down in time and was cut off"
                                        : "stopped before the guest had booted",
                    false};
        }
        return {ExitReason::Stopped, "stopped", true};
    }
    if (end.announced) {
        const bool halt = *end.announced == "halt";
        const bool reboot = *end.announced == "reboot";
        return {reboot ? ExitReason::Reboot : (halt ? ExitReason::Halt : ExitReason::Poweroff),
                fmt::format("the guest asked for {}", reboot ? "reboot" : *end.announced), true};
    }
    if (end.killed_by_us) {
        return {ExitReason::StartFailed, "the guest's agent did not answer in time", false};
    }
    if (fatal_signal(end) == SIGKILL) {
        return {ExitReason::Killed, describe(end), false};
    }
    if (!exited_by_itself) {
        return {end.agent_was_ready || fatal_signal(end) != 0 ? ExitReason::VmmCrashed
                                                              : ExitReason::StartFailed,
                fmt::format("{}; its last words are in the unit's journal", describe(end)), false};
    }
    return {ExitReason::Panic,
            fmt::format("the guest went down without shutting down{}: a kernel panic or a forced "
                        "reboot; see its console in the unit's journal",
                        end.agent_was_ready ? "" : ", before its agent had answered"),
            false};
}

std::optional<ExitRecord> classify(const ServiceResult &service) {
    // "exit-code" and "success": the supervisor came to its end, and knew more than systemd does.
    if (service.result == "success" || service.result == "exit-code" || service.result.empty()) {
        return std::nullopt;
    }
    if (service.out_of_memory || service.result == "oom-kill") {
        return ExitRecord{ExitReason::OutOfMemory,
                          "the unit reached its memory limit (MemoryMax=): give the VM more with "
                          "--memory",
                          false};
    }
    return ExitRecord{ExitReason::Killed,
                      fmt::format("the VM's supervisor ended by itself: {} ({} {})", service.result,
                                  service.code, service.status),
                      false};
}

} // namespace banger::supervisor
