#include "agent/agent/shutdown.hpp"

#include "agent/agent/log.hpp"
#include "agent/agent/notify.hpp"
#include "agent/agent/process.hpp"
#include "base/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

namespace banger::agent {
namespace {

using namespace std::chrono_literals;

/// Between two looks at cgroups, which tell nobody that they are empty.
constexpr auto look_again = 50ms;
/// After SIGKILL to the execs.
constexpr auto kill_time = 1000ms;
/// All of it, execs and init. The host kills the VMM 15 s after its request, and the last sync and
/// making read-only are to be over by then.
constexpr auto whole_time = 12000ms;
/// What the guest's init gets at least, however long the execs took.
constexpr auto least_init_time = 3000ms;

/// Makes every file system read-only, also those that no path leads to: the disk under the overlay
/// that is the root. The kernel does it on its own time and says so in its log.
void remount_read_only() noexcept {
    constexpr int patience_ms = 3000;
    constexpr std::string_view said = "Emergency Remount complete";
    const UniqueFd log{::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    const UniqueFd trigger{::open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC)};
    if (!log || ::lseek(log.get(), 0, SEEK_END) < 0 || !trigger ||
        ::write(trigger.get(), "u", 1) != 1) {
        return;
    }
    pollfd waiting{log.get(), POLLIN, 0};
    while (::poll(&waiting, 1, patience_ms) > 0) {
        std::array<char, 8192> record{};
        const ssize_t n = ::read(log.get(), record.data(), record.size());
        if (n > 0 && std::string_view(record.data(), static_cast<std::size_t>(n)).find(said) !=
                         std::string_view::npos) {
            return;
        }
    }
}

} // namespace

std::string_view to_string(Init init) noexcept {
    switch (init) {
    case Init::Systemd:
        return "systemd";
    case Init::Agent:
        return "agent";
    case Init::Other:
        break;
    }
    return "other";
}

Init init_from(std::string_view name) noexcept {
    return name == "systemd" ? Init::Systemd : name == "agent" ? Init::Agent : Init::Other;
}

void Shutdown::begin(std::chrono::milliseconds grace, std::function<void()> on_synced) {
    if (begun_) {
        fail(ErrorCode::Busy, "the guest is shutting down already");
    }
    begun_ = true;
    on_synced_ = std::move(on_synced);
    execs_.close();
    execs_.ask_all_to_end();
    const auto now = std::chrono::steady_clock::now();
    deadline_ = now + grace;
    end_ = now + whole_time;
    wait_for_execs();
}

void Shutdown::wait_for_execs() {
    const bool late = std::chrono::steady_clock::now() >= deadline_;
    if (!execs_.any_alive() || (late && killed_)) {
        sync_file_systems();
        return;
    }
    if (late) {
        killed_ = true;
        deadline_ += kill_time;
        execs_.kill_all();
    }
    timer_ = loop_.timer(look_again, [this] { wait_for_execs(); });
}

void Shutdown::sync_file_systems() {
    // In a child: it takes as long as the disk takes, and the channel goes on.
    const pid_t pid = fork_helper({}, [] {
        ::sync();
        return 0;
    });
    child_ = loop_.child(pid, [this](int) { on_synced_(); });
}

void Shutdown::leave() {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end_ - std::chrono::steady_clock::now());
    const auto init_time = std::max<std::chrono::milliseconds>(left, least_init_time);
    timer_ = loop_.timer(init_ == Init::Agent ? 0ms : init_time, [] {
        log("the guest's init did not end in time");
        reboot_now();
    });
    if (init_ == Init::Systemd) {
        ::kill(1, SIGRTMIN + 5); // systemd(1): starts reboot.target.
    } else if (init_ == Init::Other) {
        ::kill(1, SIGINT); // What Ctrl-Alt-Del does: every init reboots at that.
    }
}

void reboot_now() noexcept {
    ::sync();
    remount_read_only();
    ::sync();
    ::reboot(RB_AUTOBOOT);
    log("the machine does not reboot");
}

int run_shutdown_hook(std::string_view kind) {
    constexpr auto host_time = 3000ms;
    if (!notify_and_wait(fmt::format("SHUTDOWN={}", kind), host_time)) {
        log("nobody was told that the guest ends");
    }
    // Also for poweroff and halt: a reboot is what ends the VMM.
    reboot_now();
    return 1;
}

} // namespace banger::agent
