#include "cli/vm_ready.hpp"

#include "cli/job_progress.hpp"

#include <unistd.h>

namespace banger::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Shorter waits need no words where each word is a line.
constexpr std::chrono::seconds quiet_for{4};

bool reached(const VmInfo &vm, Readiness readiness) {
    switch (readiness) {
    case Readiness::Agent:
        return vm.state == "running";
    case Readiness::Session:
        return vm.login_ready || vm.boot_finished;
    case Readiness::Boot:
        return vm.boot_finished;
    }
    return false;
}

// How many steps of the boot are done: each gets the whole time anew.
int steps_done(const VmInfo &vm) {
    return (vm.state == "running" ? 1 : 0) + (vm.login_ready ? 1 : 0) + (vm.boot_finished ? 1 : 0);
}

bool has_ended(const VmInfo &vm) {
    return vm.state == "failed" || vm.state == "stopped" || vm.state == "stopping";
}

// "Job docker.service/start running (5s / 1min 30s)" without the running clock.
std::string stage_of(const VmInfo &vm) {
    const std::string status = vm.boot_status.substr(0, vm.boot_status.find(" ("));
    return status.empty() ? "booting" : "booting: " + status;
}

} // namespace

VmInfo wait_until_ready(Client &client, const sdbus::ObjectPath &path, Readiness readiness,
                        std::chrono::seconds timeout) {
    const DaemonWatch daemon(client);
    PropertyWatch watch(client, path, names::vm);
    VmInfo vm = vm_info(path, watch.values());
    if (reached(vm, readiness)) {
        return vm;
    }
    ProgressView view(vm.name);
    const auto began = Clock::now();
    int losses = 0;
    // Wakes the wait once, so that a boot that says nothing is not silent for ever.
    EventSource speak = client.loop().add_timer(quiet_for, [] {});
    bool in_time = true;
    while (in_time && !reached(vm, readiness) && !has_ended(vm)) {
        const int steps = steps_done(vm);
        in_time = client.wait_until(
            [&] {
                if (daemon.losses() != losses) {
                    // A new bangerd takes the running VMs over.
                    losses = daemon.losses();
                    watch.refresh();
                }
                vm = vm_info(path, watch.values());
                if (is_terminal(STDERR_FILENO) || Clock::now() - began >= quiet_for) {
                    view.show({stage_of(vm), -1});
                }
                return has_ended(vm) || reached(vm, readiness) || steps_done(vm) > steps;
            },
            timeout);
    }
    view.clear();
    if (!in_time) {
        fail(ErrorCode::GuestTimeout,
             "the VM '{}' was not ready: its boot did not move on for {} s{}", vm.name,
             timeout.count(), vm.boot_status.empty() ? "" : " (" + printable(vm.boot_status) + ")");
    }
    if (!reached(vm, readiness)) {
        fail(ErrorCode::VmmFailed, "the VM '{}' is {} instead of ready{}", vm.name, vm.state,
             vm.error_message.empty() ? "" : ": " + vm.error_message);
    }
    return vm;
}

} // namespace banger::cli
