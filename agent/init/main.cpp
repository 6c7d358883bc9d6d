// banger-init: /init of the initramfs. Prepares the guest, then becomes the guest's own init.

#include "agent/agent/notify.hpp"
#include "agent/identity/apply.hpp"
#include "agent/init/apparmor.hpp"
#include "agent/init/console.hpp"
#include "agent/init/disks.hpp"
#include "agent/init/guest_files.hpp"
#include "agent/init/kernel_modules.hpp"
#include "agent/init/mounts.hpp"
#include "agent/init/root.hpp"
#include "agent/init/runtime_directories.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

constexpr const char *guest_init = "/sbin/init";

/// Which init the guest has: "systemd", "other", or "agent" for none.
std::string kind_of_init() {
    if (::access(guest_init, X_OK) != 0) {
        return "agent";
    }
    std::error_code ignored;
    return fs::canonical(guest_init, ignored).filename() == "systemd" ? "systemd" : "other";
}

/// argv[0] begins with '@', so that systemd lets the agent live until the end (systemd's
/// ROOT_STORAGE_DAEMONS document).
[[noreturn]] void become_agent(const std::string &init, std::uint64_t generation, int notify_fd) {
    const std::string generation_text = std::to_string(generation);
    const std::string notify_text = std::to_string(notify_fd);
    const std::array<const char *, 8> argv{
        "@banger-vsock-agent",   "--init",      init.c_str(),        "--boot-generation",
        generation_text.c_str(), "--notify-fd", notify_text.c_str(), nullptr};
    const std::array<const char *, 2> environment{
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", nullptr};
    ::execve(agent_in_guest, const_cast<char *const *>(argv.data()),
             const_cast<char *const *>(environment.data()));
    throw_errno("execute the agent");
}

void connect_stdio_to_kernel_log() {
    const UniqueFd null = open_file("/dev/null", O_RDWR);
    const UniqueFd log = open_file("/dev/kmsg", O_WRONLY);
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(null.get(), STDOUT_FILENO);
    ::dup2(log.get(), STDERR_FILENO);
}

void start_agent(const std::string &init, std::uint64_t generation, const UniqueFd &notify) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw_errno("start the agent");
    }
    if (pid > 0) {
        return;
    }
    try {
        ::setsid();
        connect_stdio_to_kernel_log();
        // Without close-on-exec, beyond the three that it begins with.
        const int inherited = ::fcntl(notify.get(), F_DUPFD, 3);
        become_agent(init, generation, inherited);
    } catch (const std::exception &error) {
        warn(error.what());
    }
    ::_exit(1);
}

[[noreturn]] void become_guest_init(bool systemd) {
    const std::string notify = fmt::format("NOTIFY_SOCKET={}", agent::notify_socket_name);
    const std::array<const char *, 2> argv{guest_init, nullptr};
    const std::array<const char *, 3> environment{"TERM=linux", systemd ? notify.c_str() : nullptr,
                                                  nullptr};
    ::execve(guest_init, const_cast<char *const *>(argv.data()),
             const_cast<char *const *>(environment.data()));
    throw_errno(fmt::format("execute {}", guest_init));
}

[[noreturn]] void run() {
    constexpr std::chrono::milliseconds disk_time{20000};
    ::umask(022);
    mount_kernel_file_systems();
    load_modules("/banger/modules");
    const Disks disks = find_disks(disk_time);
    const identity::Identity identity = read_identity(disks.config);
    try {
        identity::apply_clock_at_boot(identity);
    } catch (const Error &error) {
        warn(error.what());
    }
    switch_root(assemble_root(disks, "/banger/agent"));
    const std::string init = kind_of_init();
    make_runtime_directories(init == "systemd");
    hide_apparmor_without_its_parser();
    identity::apply(identity, "/", warn);

    const UniqueFd notify = agent::bind_notify_socket();
    if (init == "agent") {
        connect_stdio_to_kernel_log();
        const int inherited = ::fcntl(notify.get(), F_DUPFD, 3);
        become_agent(init, identity.boot_generation, inherited);
    }
    start_agent(init, identity.boot_generation, notify);
    become_guest_init(init == "systemd");
}

} // namespace
} // namespace banger::init

int main() {
    try {
        banger::init::run();
    } catch (const std::exception &error) {
        banger::init::warn(error.what());
        banger::init::warn("the guest cannot start");
    }
    // The kernel panics when its first process ends, and that ends the VMM.
    return 1;
}
