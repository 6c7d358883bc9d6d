#include "agent/agent/cgroup.hpp"

#include "agent/agent/log.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace banger::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char *hierarchy = "/sys/fs/cgroup";

bool write_to(const fs::path &path, std::string_view text) noexcept {
    const UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string content_of(const fs::path &path) {
    try {
        return read_file(path);
    } catch (const Error &) {
        return {};
    }
}

} // namespace

Cgroup::Cgroup(std::string_view name) {
    struct statfs info {};
    if (::statfs(hierarchy, &info) != 0 || info.f_type != CGROUP2_SUPER_MAGIC) {
        return;
    }
    fs::path path = fs::path(hierarchy) / "banger" / name;
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        log(fmt::format("make the cgroup {}: {}", path.string(), error.message()));
        return;
    }
    path_ = std::move(path);
}

Cgroup::~Cgroup() {
    if (!path_.empty()) {
        ::rmdir(path_.c_str());
    }
}

void Cgroup::enter() const noexcept {
    if (!path_.empty()) {
        write_to(path_ / "cgroup.procs", "0");
    }
}

void Cgroup::signal_all(int signal_number) const {
    if (path_.empty()) {
        return;
    }
    const std::string pids = content_of(path_ / "cgroup.procs");
    for (const char *at = pids.c_str(); *at != '\0';) {
        char *end = nullptr;
        const long pid = std::strtol(at, &end, 10);
        if (end == at) {
            return;
        }
        if (pid > 1) {
            ::kill(static_cast<pid_t>(pid), signal_number);
        }
        at = *end == '\n' ? end + 1 : end;
    }
}

void Cgroup::kill_all() const {
    // cgroup.kill is there since Linux 5.14.
    if (!path_.empty() && !write_to(path_ / "cgroup.kill", "1")) {
        signal_all(SIGKILL);
    }
}

bool Cgroup::populated() const {
    return !path_.empty() &&
           content_of(path_ / "cgroup.events").find("populated 1") != std::string::npos;
}

} // namespace banger::agent
