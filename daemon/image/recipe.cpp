#include "daemon/image/recipe.hpp"

#include "base/byte_size.hpp"

#include <algorithm>
#include <array>

namespace banger::image {
namespace {

// What a login, its network and its time need.
constexpr auto minimal_packages = std::to_array<std::string_view>({
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "netbase",
    "openssh-server",
    "procps",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tzdata",
    "udev",
    "vim-tiny",
});

constexpr auto developer_packages = std::to_array<std::string_view>({
    "bash-completion",
    "bind9-host",
    "build-essential",
    "bzip2",
    "ca-certificates",
    "curl",
    "dbus",
    "docker.io",
    "e2fsprogs",
    "file",
    "git",
    "gnupg",
    "htop",
    "iproute2",
    "iptables",
    "iputils-ping",
    "jq",
    "kmod",
    "less",
    "libpam-systemd",
    "lsof",
    "man-db",
    "nano",
    "netbase",
    "netcat-openbsd",
    "openssh-client",
    "openssh-server",
    "pkg-config",
    "procps",
    "psmisc",
    "python3",
    "python3-pip",
    "python3-venv",
    "rsync",
    "strace",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tmux",
    "tzdata",
    "udev",
    "unzip",
    "vim-tiny",
    "wget",
    "xz-utils",
    "zstd",
});

constexpr auto all = std::to_array<Recipe>({
    {"debian-bookworm", "Debian 12 with systemd, sshd, Docker, git, jq and a compiler", "bookworm",
     "minbase", "debian", developer_packages, 1700 * MiB, 1200 * MiB},
    {"debian-bookworm-minimal", "Debian 12 with systemd and sshd", "bookworm", "minbase", "debian",
     minimal_packages, 500 * MiB, 350 * MiB},
    {"debian-trixie", "Debian 13 with systemd, sshd, Docker, git, jq and a compiler", "trixie",
     "minbase", "debian-trixie", developer_packages, 1900 * MiB, 1400 * MiB},
});

} // namespace

std::span<const Recipe> recipes() noexcept {
    return all;
}

const Recipe *find_recipe(std::string_view name) noexcept {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Recipe &r) { return r.name == name; });
    return found == all.end() ? nullptr : &*found;
}

} // namespace banger::image
