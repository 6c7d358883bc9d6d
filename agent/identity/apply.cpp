#include "agent/identity/apply.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace banger::identity {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view block_begin = "# banger: begin (written on every start)\n";
constexpr std::string_view block_end = "# banger: end\n";

/// The content of a regular file; empty for one that is missing or of another kind.
std::string content_of(const fs::path &path) {
    constexpr std::size_t limit = 4U << 20U;
    std::error_code ignored;
    return fs::is_regular_file(fs::symlink_status(path, ignored)) ? read_file(path, limit)
                                                                  : std::string{};
}

/// Writes it unless it is already there with that mode, so that nothing is copied up for nothing. A
/// symlink in its place is replaced, never followed.
void put(const fs::path &path, std::string_view content, mode_t mode) {
    struct stat now {};
    if (::lstat(path.c_str(), &now) == 0 && S_ISREG(now.st_mode) && now.st_uid == 0 &&
        (now.st_mode & 07777U) == mode && content_of(path) == content) {
        return;
    }
    write_file_atomically(path, content, mode);
    if (::lchown(path.c_str(), 0, 0) != 0) {
        throw_errno(fmt::format("give {} to root", path.string()));
    }
}

/// A directory of root's with that mode; a symlink in its place is left alone.
void directory(const fs::path &path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        throw_errno(fmt::format("create the directory {}", path.string()));
    }
    struct stat now {};
    if (::lstat(path.c_str(), &now) != 0 || !S_ISDIR(now.st_mode)) {
        return;
    }
    if ((now.st_uid != 0 || now.st_gid != 0) && ::lchown(path.c_str(), 0, 0) != 0) {
        throw_errno(fmt::format("give {} to root", path.string()));
    }
    if ((now.st_mode & 07777U) != mode && ::chmod(path.c_str(), mode) != 0) {
        throw_errno(fmt::format("set the mode of {}", path.string()));
    }
}

std::string full_name(const Identity &identity) {
    return identity.domain.empty() ? identity.hostname
                                   : fmt::format("{}.{}", identity.hostname, identity.domain);
}

std::string sshd_settings(const Identity &identity) {
    std::string settings;
    for (const auto &[name, content] : identity.ssh_host_keys) {
        if (!name.ends_with(".pub")) {
            settings += fmt::format("HostKey /etc/ssh/{}\n", name);
        }
    }
    settings += "PermitRootLogin prohibit-password\n"
                "PubkeyAuthentication yes\n"
                "PasswordAuthentication no\n"
                "KbdInteractiveAuthentication no\n"
                "AuthorizedKeysFile /root/.ssh/authorized_keys .ssh/authorized_keys\n"
                "StrictModes yes\n";
    return settings;
}

/// The server's own configuration takes in the drop-ins (Debian 11 and later) before all else.
bool includes_drop_ins(std::string_view config) {
    while (!config.empty()) {
        const std::string_view line = config.substr(0, config.find('\n'));
        if (line.starts_with("Include") &&
            line.find("/etc/ssh/sshd_config.d/") != std::string_view::npos) {
            return true;
        }
        config.remove_prefix(std::min(line.size() + 1, config.size()));
    }
    return false;
}

constexpr std::int64_t usec_per_sec = 1000000;

std::int64_t now_usec(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    constexpr std::int64_t nsec_per_usec = 1000;
    return std::int64_t{now.tv_sec} * usec_per_sec + now.tv_nsec / nsec_per_usec;
}

void set_clock(std::int64_t usec) {
    const timeval wanted{usec / usec_per_sec, usec % usec_per_sec};
    if (::settimeofday(&wanted, nullptr) != 0) {
        throw_errno("set the clock");
    }
}

} // namespace

std::string with_block(std::string_view content, std::string_view block, bool at_front) {
    std::string rest(content);
    const std::size_t begin = rest.find(block_begin);
    const std::size_t end = begin == std::string::npos ? begin : rest.find(block_end, begin);
    if (end != std::string::npos) {
        return rest.replace(begin, end + block_end.size() - begin,
                            fmt::format("{}{}{}", block_begin, block, block_end));
    }
    if (!at_front && !rest.empty() && rest.back() != '\n') {
        rest += '\n';
    }
    const std::string ours = fmt::format("{}{}{}", block_begin, block, block_end);
    return at_front ? ours + rest : rest + ours;
}

void apply_files(const Identity &identity, const fs::path &root) {
    const fs::path etc = root / "etc";
    constexpr mode_t readable = 0644;
    directory(etc, 0755);
    put(etc / "hostname", identity.hostname + "\n", readable);
    if (!identity.machine_id.empty()) {
        put(etc / "machine-id", identity.machine_id + "\n", 0444);
    }
    std::string hosts = content_of(etc / "hosts");
    if (hosts.empty()) {
        hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
    }
    const std::string own =
        fmt::format("{} {} {}\n", identity.address.empty() ? "127.0.1.1" : identity.address,
                    full_name(identity), identity.hostname);
    put(etc / "hosts", with_block(hosts, own, true), readable);
    if (!identity.resolver.empty()) {
        put(etc / "resolv.conf",
            fmt::format("# Written by banger on every start.\nnameserver {}\n{}", identity.resolver,
                        identity.domain.empty() ? "" : fmt::format("search {}\n", identity.domain)),
            readable);
    }
}

void apply_ssh(const Identity &identity, const fs::path &root) {
    const fs::path ssh = root / "etc/ssh";
    directory(ssh, 0755);
    directory(ssh / "sshd_config.d", 0755);
    for (const auto &[name, content] : identity.ssh_host_keys) {
        put(ssh / name, content, name.ends_with(".pub") ? 0644 : 0600);
    }
    const std::string settings = sshd_settings(identity);
    put(ssh / "sshd_config.d/00-banger.conf", settings, 0644);
    const std::string config = content_of(ssh / "sshd_config");
    if (!config.empty() && !includes_drop_ins(config)) {
        // sshd takes the first value that it reads.
        put(ssh / "sshd_config", with_block(config, settings, true), 0644);
    }
}

void apply_home(const Identity &identity, const fs::path &root) {
    const fs::path home = root / "root";
    directory(home, 0755);
    directory(home / ".ssh", 0700);
    std::string keys;
    for (const std::string &key : identity.authorized_keys) {
        keys += key + "\n";
    }
    const fs::path file = home / ".ssh/authorized_keys";
    put(file, with_block(content_of(file), keys, true), 0600);
    std::error_code ignored;
    const fs::path git = home / ".gitconfig";
    if (!identity.git_config.empty() && !fs::exists(fs::symlink_status(git, ignored))) {
        put(git, identity.git_config, 0644);
    }
}

void apply_hostname(const Identity &identity) {
    if (::sethostname(identity.hostname.data(), identity.hostname.size()) != 0) {
        throw_errno("set the host name");
    }
}

void apply_clock(const Identity &identity) {
    if (identity.realtime_usec > 0 &&
        std::llabs(identity.realtime_usec - now_usec(CLOCK_REALTIME)) > usec_per_sec) {
        set_clock(identity.realtime_usec);
    }
}

void apply_clock_at_boot(const Identity &identity) {
    const std::int64_t earliest = identity.realtime_usec + now_usec(CLOCK_BOOTTIME);
    if (identity.realtime_usec > 0 && now_usec(CLOCK_REALTIME) < earliest) {
        set_clock(earliest);
    }
}

void apply(const Identity &identity, const fs::path &root,
           const std::function<void(std::string_view)> &warn) {
    const auto part = [&warn](std::string_view name, const auto &run) {
        try {
            run();
        } catch (const std::exception &error) {
            warn(fmt::format("{}: {}", name, error.what()));
        }
    };
    part("host name", [&] { apply_hostname(identity); });
    part("network", [&] { apply_network(identity); });
    part("files in /etc", [&] { apply_files(identity, root); });
    part("sshd", [&] { apply_ssh(identity, root); });
    part("/root", [&] { apply_home(identity, root); });
}

} // namespace banger::identity
