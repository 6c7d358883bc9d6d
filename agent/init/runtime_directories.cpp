#include "agent/init/runtime_directories.hpp"

#include "agent/init/console.hpp"
#include "agent/init/copy_tree.hpp"
#include "agent/init/mounts.hpp"
#include "agent/init/tree_path.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

constexpr mode_t for_everybody = 01777;

/// Makes a directory that is missing, also where a symbolic link leads to it.
fs::path made(const char *path, mode_t mode) {
    fs::path place = "/" / resolve_in("/", path);
    std::error_code ignored;
    fs::create_directories(place.parent_path(), ignored);
    if (::mkdir(place.c_str(), mode) == 0) {
        // Without what the umask takes away.
        ::chmod(place.c_str(), mode);
    } else if (errno != EEXIST) {
        throw_errno(fmt::format("create {}", place.string()));
    }
    return place;
}

/// What an image has in /run belongs to its services: directories of their users, for sockets.
void mount_run() {
    const fs::path run = made("/run", 0755);
    const UniqueFd of_image = open_file(run, O_PATH | O_DIRECTORY);
    mount_at("tmpfs", run, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    copy_tree(fmt::format("/proc/self/fd/{}/.", of_image.get()), run);
}

} // namespace

void make_runtime_directories(bool systemd) {
    const auto part = [](const auto &run) {
        try {
            run();
        } catch (const std::exception &error) {
            warn(error.what());
        }
    };
    part([] { made("/tmp", for_everybody); });
    if (systemd) {
        part([] { made("/run", 0755); });
        return;
    }
    part(mount_run);
    part([] { made("/run/lock", for_everybody); });
    part([] { mount_at("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"); });
}

} // namespace banger::init
