#include "agent/init/mounts.hpp"

#include "agent/init/tree_path.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

namespace banger::init {

void mount_at(const std::string &source, const std::filesystem::path &target,
              const std::string &type, unsigned long flags, const std::string &options) {
    std::error_code ignored;
    std::filesystem::create_directories(target, ignored);
    if (::mount(source.c_str(), target.c_str(), type.c_str(), flags,
                options.empty() ? nullptr : options.c_str()) != 0) {
        throw_errno(fmt::format("mount {} at {}", source, target.string()));
    }
}

void bind_at(const UniqueFd &source, const std::filesystem::path &target) {
    // Also where a link of the image leads to a directory that is not there.
    const std::filesystem::path place = "/" / resolve_in("/", target);
    mount_at(fmt::format("/proc/self/fd/{}", source.get()), place, "none", MS_BIND);
}

UniqueFd open_directory(const std::filesystem::path &path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        throw_errno(fmt::format("create {}", path.string()));
    }
    return open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

void mount_kernel_file_systems() {
    constexpr unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    // The kernel mounts devtmpfs itself where it is configured to.
    ::mkdir("/dev", 0755);
    if (::mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") != 0 && errno != EBUSY) {
        throw_errno("mount devtmpfs at /dev");
    }
    mount_at("proc", "/proc", "proc", plain);
    mount_at("sysfs", "/sys", "sysfs", plain);
    mount_at("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
    // As systemd mounts it; beside it, our execs have cgroups of their own.
    if (::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", plain, "nsdelegate,memory_recursiveprot") !=
        0) {
        ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", plain, nullptr);
    }
}

} // namespace banger::init
