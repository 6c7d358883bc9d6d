#include "agent/init/guest_files.hpp"

#include "agent/init/tree_path.hpp"
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

/// systemd.unit(5): what goes before a unit of the packages.
constexpr const char *unit_settings = "etc/systemd/system";

/// The layer, and the image that it will lie over.
class Layer {
public:
    Layer(fs::path layer, fs::path image) : layer_(std::move(layer)), image_(std::move(image)) {}

    /// Where a file has to be to replace the image's.
    fs::path at(const fs::path &path) const { return layer_ / place_of(path); }

    fs::path in_image(const fs::path &path) const { return image_ / place_of(path); }

    bool image_has(const fs::path &path) const {
        std::error_code ignored;
        return fs::exists(fs::symlink_status(in_image(path), ignored));
    }

    /// systemctl(1) has masked the unit.
    bool image_masks(const fs::path &unit) const {
        std::error_code ignored;
        return fs::read_symlink(in_image(fs::path(unit_settings) / unit), ignored) == "/dev/null";
    }

    /// The image has one directory for both.
    bool merged(const fs::path &one, const fs::path &other) const {
        return resolve_in(image_, one) == resolve_in(image_, other);
    }

private:
    /// A directory here would hide a symbolic link of the image, and all that is reached through
    /// it: what is to be behind the link goes where it leads.
    fs::path place_of(const fs::path &path) const {
        return resolve_in(image_, path.parent_path()) / path.filename();
    }

    fs::path layer_;
    fs::path image_;
};

/// Where the image's systemd looks: /usr/lib/systemd, or /lib/systemd before Debian merged the two;
/// empty without systemd.
fs::path systemd_directory(const Layer &layer) {
    // An image that is not merged has only user units and the like in /usr/lib.
    if (layer.image_has("usr/lib/systemd/system") &&
        (layer.merged("lib", "usr/lib") || !layer.image_has("lib/systemd/systemd"))) {
        return "usr/lib/systemd";
    }
    return layer.image_has("lib/systemd/systemd") ? "lib/systemd" : "";
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
void put_startup_weights(const Layer &layer, const fs::path &systemd) {
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
        put(layer.at(systemd / fmt::format("system/{}.d/50-banger.conf", unit)),
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

void put_gpg_agent_generator(const Layer &layer) {
    const fs::path name = "systemd/user-environment-generators/90gpg-agent";
    if (layer.image_has("usr/lib" / name) && !layer.image_has("etc" / name)) {
        const fs::path path = layer.at("etc" / name);
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

/// Without these systemd does not get to the end of its start: it freezes at the first that it
/// cannot isolate.
constexpr auto targets_of_boot = std::to_array<std::string_view>(
    {"default.target", "graphical.target", "multi-user.target", "basic.target", "sysinit.target"});

void unmask_targets(const Layer &layer, const fs::path &systemd) {
    for (const std::string_view target : targets_of_boot) {
        if (layer.image_masks(target)) {
            put_link(layer.at(fs::path(unit_settings) / target), "/" / systemd / "system" / target);
        }
    }
}

/// pam_motd(8) starts five programs at each login, also for `ssh … true`, for Debian's one script,
/// which says what kernel this is. A directory that somebody makes in its place works again.
void hide_greeting_of_the_kernel(const Layer &layer) {
    constexpr const char *name = "etc/update-motd.d";
    std::error_code ignored;
    std::vector<fs::path> scripts;
    for (fs::directory_iterator i{layer.in_image(name), ignored}, end; i != end;
         i.increment(ignored)) {
        scripts.push_back(i->path().filename());
    }
    if (scripts != std::vector<fs::path>{"10-uname"}) {
        return;
    }
    const fs::path path = layer.at(name);
    fs::create_directories(path.parent_path());
    // A whiteout of overlayfs.
    if (::mknod(path.c_str(), S_IFCHR, 0) != 0) {
        throw_errno(fmt::format("hide /{}", name));
    }
}

/// logind(8) makes the first login wait for its user manager, a tenth of the way to a first `ssh …
/// true`. A second processor has the time to start it before; on a single one it would only come in
/// the way of the boot.
void start_user_manager_early(const Layer &layer) {
    if (::get_nprocs() > 1) {
        put(layer.at("var/lib/systemd/linger/root"), "");
    }
}

void put_systemd_files(const Layer &layer, const fs::path &systemd) {
    const auto put_in = [&](const char *path, std::string_view content) {
        put(layer.at(systemd / path), content);
    };
    put_in("system/banger-login-ready.service", login_ready_unit);
    put_link(layer.at(systemd / "system/multi-user.target.wants/banger-login-ready.service"),
             "../banger-login-ready.service");
    put_in("system.conf.d/50-banger.conf", stop_timeout);
    put_in("user.conf.d/50-banger.conf", stop_timeout);
    put_in("system/user@.service.d/50-banger.conf", "[Service]\nTimeoutStopSec=8s\n");
    put_startup_weights(layer, systemd);
    put_link(layer.at(systemd / "system-shutdown/banger-shutdown"), agent_in_guest);
    // The link is configured before init starts, and stays so.
    put_in("network/00-banger.network", "[Match]\nName=eth0\n\n[Link]\nUnmanaged=yes\n");
    put_gpg_agent_generator(layer);
    start_user_manager_early(layer);
    for (const std::string_view unit : units_without_use) {
        put_link(layer.at(fs::path(unit_settings) / unit), "/dev/null");
    }
    unmask_targets(layer, systemd);
    if (!layer.image_has("usr/bin/kmod") && !layer.image_has("bin/kmod")) {
        // It would fail for want of that program, now that there are modules.
        put_link(layer.at(fs::path(unit_settings) / "kmod-static-nodes.service"), "/dev/null");
    }
}

} // namespace

void write_guest_files(const fs::path &directory, const fs::path &agent, const fs::path &image) {
    const Layer layer{directory, image};
    put_program(agent, layer.at(agent_in_guest));
    put(layer.at(apparmor_disabled_in_guest), "N\n");
    if (const fs::path systemd = systemd_directory(layer); !systemd.empty()) {
        put_systemd_files(layer, systemd);
    }
    hide_greeting_of_the_kernel(layer);
    put(layer.at("etc/fstab"), "# The disks of this VM are mounted before this file is read.\n");
    if (layer.image_has("etc/crypttab")) {
        // systemd would wait 90 s for each device.
        put(layer.at("etc/crypttab"), "# This VM has no encrypted disks.\n");
    }
    put(layer.at("etc/cloud/cloud-init.disabled"), "");
    put(layer.at("usr/lib/NetworkManager/conf.d/00-banger.conf"),
        "[keyfile]\nunmanaged-devices=interface-name:eth0\n");
    if (layer.image_has("etc/network/interfaces")) {
        put(layer.at("etc/network/interfaces"),
            "# eth0 is configured before this file is read.\nauto lo\niface lo inet loopback\n");
    }
}

} // namespace banger::init
