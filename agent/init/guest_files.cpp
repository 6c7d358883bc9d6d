#include "agent/init/guest_files.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

void put(const fs::path &path, std::string_view content) {
    fs::create_directories(path.parent_path());
    const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all(fd.get(), content, path.string());
}

void put_link(const fs::path &path, const fs::path &target) {
    fs::create_directories(path.parent_path());
    fs::create_symlink(target, path);
}

void put_program(const fs::path &from, const fs::path &path) {
    fs::create_directories(path.parent_path());
    const UniqueFd source = open_file(from, O_RDONLY);
    const UniqueFd target = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    constexpr std::size_t chunk = 1U << 24U;
    ssize_t n = 0;
    while ((n = ::sendfile(target.get(), source.get(), nullptr, chunk)) > 0) {
    }
    if (n < 0) {
        throw_errno(fmt::format("copy {}", from.string()));
    }
}

/// Where the image's systemd looks: /usr/lib/systemd, or /lib/systemd before Debian merged the two;
/// empty without systemd.
fs::path systemd_directory(const fs::path &image) {
    std::error_code ignored;
    if (fs::exists(image / "usr/lib/systemd/system", ignored)) {
        // An image that is not merged has only user units and the like there.
        if (fs::is_symlink(fs::symlink_status(image / "lib", ignored)) ||
            !fs::exists(image / "lib/systemd/systemd", ignored)) {
            return "usr/lib/systemd";
        }
    }
    return fs::exists(image / "lib/systemd/systemd", ignored) ? "lib/systemd" : "";
}

constexpr std::string_view login_ready_unit = R"([Unit]
Description=Tell the host that a session can be opened
After=ssh.service sshd.service ssh.socket sshd.socket systemd-user-sessions.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/banger/agent --notify login-ready
)";

/// A service that ignores SIGTERM must not hold the machine for the 90 s that are usual.
constexpr std::string_view stop_timeout = "[Manager]\nDefaultTimeoutStopSec=8s\n";

/// While the guest boots, whoever wants to get in goes before what starts besides: on one
/// processor, Docker doubled the time of a login. udev has hundreds of devices to look at then, and
/// nothing of the boot waits for any of them. systemd.resource-control(5): it ends with the boot.
void put_startup_weights(const fs::path &systemd) {
    struct Weight {
        std::string_view unit;
        std::string_view section;
        int value;
    };
    constexpr std::array weights{
        Weight{"ssh.service", "Service", 1000},
        Weight{"sshd.service", "Service", 1000},
        Weight{"systemd-logind.service", "Service", 1000},
        Weight{"systemd-user-sessions.service", "Service", 1000},
        Weight{"dbus.service", "Service", 1000},
        Weight{"dbus-broker.service", "Service", 1000},
        Weight{"banger-login-ready.service", "Service", 1000},
        Weight{"user.slice", "Slice", 1000},
        Weight{"init.scope", "Scope", 1000},
        Weight{"systemd-udevd.service", "Service", 10},
    };
    for (const auto &[unit, section, value] : weights) {
        put(systemd / fmt::format("system/{}.d/50-banger.conf", unit),
            fmt::format("[{}]\nStartupCPUWeight={}\n", section, value));
    }
}

/// The first login starts a user manager, and GnuPG's part of that is more than half of it: it asks
/// gpgconf(1) for an option that only a configuration file sets. Here it asks only where there is
/// one.
constexpr std::string_view gpg_agent_generator = R"(#!/bin/sh
for file in "${GNUPGHOME:-$HOME/.gnupg}"/*.conf /etc/gnupg/*.conf; do
    [ ! -e "$file" ] || exec /usr/lib/systemd/user-environment-generators/90gpg-agent
done
)";

void put_gpg_agent_generator(const fs::path &layer, const fs::path &image) {
    constexpr const char *name = "systemd/user-environment-generators/90gpg-agent";
    std::error_code ignored;
    if (fs::exists(image / "usr/lib" / name, ignored) &&
        !fs::exists(fs::symlink_status(image / "etc" / name, ignored))) {
        const fs::path path = layer / "etc" / name;
        put(path, gpg_agent_generator);
        fs::permissions(path, fs::perms{0755});
    }
}

/// What costs time at each boot, for nothing.
constexpr auto units_without_use = std::to_array<std::string_view>({
    // Nobody logs in on a console, and without udev the serial one's device unit never comes.
    "getty@.service",
    "serial-getty@.service",
    // The link is up before init starts.
    "systemd-networkd-wait-online.service",
    "NetworkManager-wait-online.service",
    "systemd-firstboot.service",
    // Snapshots of LVM.
    "e2scrub_reap.service",
    // There is no screen and no EFI; the kernel loads the others when somebody opens their device.
    "modprobe@drm.service",
    "modprobe@efi_pstore.service",
    "modprobe@dm_mod.service",
    "modprobe@loop.service",
});

/// pam_motd(8) starts five programs at each login, also for `ssh … true`, for Debian's one script,
/// which says what kernel this is. A directory that somebody makes in its place works again.
void hide_greeting_of_the_kernel(const fs::path &layer, const fs::path &image) {
    constexpr const char *name = "etc/update-motd.d";
    std::error_code ignored;
    std::vector<fs::path> scripts;
    for (fs::directory_iterator i{image / name, ignored}, end; i != end; i.increment(ignored)) {
        scripts.push_back(i->path().filename());
    }
    if (scripts != std::vector<fs::path>{"10-uname"}) {
        return;
    }
    fs::create_directories(layer / "etc");
    // A whiteout of overlayfs.
    if (::mknod((layer / name).c_str(), S_IFCHR, 0) != 0) {
        throw_errno(fmt::format("hide /{}", name));
    }
}

/// logind(8) makes the first login wait for its user manager, a tenth of the way to a first `ssh …
/// true`. A second processor has the time to start it before; on a single one it would only come in
/// the way of the boot.
void start_user_manager_early(const fs::path &layer) {
    if (::get_nprocs() > 1) {
        put(layer / "var/lib/systemd/linger/root", "");
    }
}

void put_systemd_files(const fs::path &systemd) {
    put(systemd / "system/banger-login-ready.service", login_ready_unit);
    put_link(systemd / "system/multi-user.target.wants/banger-login-ready.service",
             "../banger-login-ready.service");
    put(systemd / "system.conf.d/50-banger.conf", stop_timeout);
    put(systemd / "user.conf.d/50-banger.conf", stop_timeout);
    put(systemd / "system/user@.service.d/50-banger.conf", "[Service]\nTimeoutStopSec=8s\n");
    put_startup_weights(systemd);
    put_link(systemd / "system-shutdown/banger-shutdown", agent_in_guest);
    // The link is configured before init starts, and stays so.
    put(systemd / "network/00-banger.network", "[Match]\nName=eth0\n\n[Link]\nUnmanaged=yes\n");
}

} // namespace

void write_guest_files(const fs::path &layer, const fs::path &agent, const fs::path &image) {
    put_program(agent, layer / fs::path(agent_in_guest).relative_path());
    if (const fs::path systemd = systemd_directory(image); !systemd.empty()) {
        put_systemd_files(layer / systemd);
        put_gpg_agent_generator(layer, image);
        start_user_manager_early(layer);
        const fs::path units = layer / "etc/systemd/system";
        for (const std::string_view unit : units_without_use) {
            put_link(units / unit, "/dev/null");
        }
        std::error_code ignored;
        if (!fs::exists(image / "usr/bin/kmod", ignored) &&
            !fs::exists(image / "bin/kmod", ignored)) {
            // It would fail for want of that program, now that there are modules.
            put_link(units / "kmod-static-nodes.service", "/dev/null");
        }
    }
    hide_greeting_of_the_kernel(layer, image);
    put(layer / "etc/fstab", "# The disks of this VM are mounted before this file is read.\n");
    put(layer / "etc/cloud/cloud-init.disabled", "");
    put(layer / "usr/lib/NetworkManager/conf.d/00-banger.conf",
        "[keyfile]\nunmanaged-devices=interface-name:eth0\n");
    std::error_code ignored;
    if (fs::exists(image / "etc/network/interfaces", ignored)) {
        put(layer / "etc/network/interfaces",
            "# eth0 is configured before this file is read.\nauto lo\niface lo inet loopback\n");
    }
}

} // namespace banger::init
