#include "agent/init/root.hpp"

#include "agent/init/console.hpp"
#include "agent/init/copy_tree.hpp"
#include "agent/init/guest_files.hpp"
#include "agent/init/mounts.hpp"
#include "agent/init/tree_path.hpp"
#include "base/error.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

/// Marks a directory whose first content has arrived whole; the guest does not see it in a listing.
constexpr const char *filled_mark = "trusted.banger.filled";

/// Where the modules disk has them.
constexpr const char *modules_directory = "usr/lib/modules";

/// The initramfs lies in memory, and with it whatever an initrd of the user's own has brought.
void remove_initramfs() {
    struct stat root {};
    if (::lstat("/", &root) != 0) {
        return;
    }
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator("/", ignored)) {
        struct stat status {};
        // The disks are mounted on directories of it.
        if (::lstat(entry.path().c_str(), &status) == 0 && status.st_dev == root.st_dev) {
            fs::remove_all(entry.path(), ignored);
        }
    }
}

/// Gives `directory` the content that the image has at `origin`, once.
void fill_once(const fs::path &origin, const fs::path &directory) {
    char mark = 0;
    if (::lgetxattr(directory.c_str(), filled_mark, &mark, sizeof(mark)) >= 0) {
        return;
    }
    struct stat source {};
    if (::lstat(origin.c_str(), &source) == 0 && S_ISDIR(source.st_mode)) {
        copy_tree(origin, directory);
    }
    ::sync();
    if (::lsetxattr(directory.c_str(), filled_mark, "1", 1, 0) != 0) {
        throw_errno(fmt::format("mark {}", directory.string()));
    }
}

std::string overlay_options(bool modules) {
    return fmt::format("lowerdir=/layer:{}/image,upperdir=/overlay/upper,workdir=/overlay/work",
                       modules ? "/modules:" : "");
}

/// The directories above the modules would hide links that the image has in their places.
bool may_lie_over_image(const fs::path &modules) {
    return resolve_in("/image", modules) == modules;
}

/// kmod(8) looks in /lib, the disk has the modules in /usr/lib: two directories in an image from
/// before they were merged.
void link_modules(const fs::path &modules) {
    std::error_code ignored;
    const fs::path lib = resolve_in("/image", "lib");
    if (fs::is_directory("/image" / lib, ignored) && lib != resolve_in("/image", "usr/lib")) {
        fs::create_directories("/layer" / lib);
        fs::create_symlink("/" / modules, "/layer" / lib / "modules");
    }
}

/// What an image has in the place of a file system of the kernel's is not followed and not kept.
void make_mount_point(const fs::path &target) {
    std::error_code ignored;
    if (fs::symlink_status(target, ignored).type() != fs::file_type::directory) {
        fs::remove(target, ignored);
        fs::create_directory(target, ignored);
    }
}

/// One of Docker's directories: overlay2 does not work on an overlay.
GuestRoot::Bind own_directory(const fs::path &root, const char *name, const char *target,
                              mode_t mode) {
    const fs::path directory = fs::path("/overlay") / name;
    UniqueFd fd = open_directory(directory, mode);
    fill_once(root / resolve_in(root, target), directory);
    return {std::move(fd), target};
}

} // namespace

GuestRoot assemble_root(const Disks &disks, const fs::path &agent) {
    constexpr unsigned long read_only = MS_RDONLY | MS_NODEV | MS_NOATIME;
    mount_at(disks.image, "/image", "ext4", MS_RDONLY | MS_NOATIME);
    if (!disks.modules.empty()) {
        mount_at(disks.modules, "/modules", "ext4", read_only);
    }
    const bool modules_below_root = !disks.modules.empty() && may_lie_over_image(modules_directory);
    mount_at(disks.overlay, "/overlay", "ext4", MS_NOATIME);
    grow(disks.overlay, "/overlay");
    mount_at("banger", "/layer", "tmpfs", MS_NODEV, "mode=0755");
    write_guest_files("/layer", agent, "/image");
    if (!disks.modules.empty()) {
        link_modules(modules_directory);
    }
    open_directory("/overlay/upper", 0755);
    open_directory("/overlay/work", 0755);

    GuestRoot root;
    root.path = "/newroot";
    mount_at("overlay", root.path, "overlay", MS_NOATIME, overlay_options(modules_below_root));
    if (!disks.modules.empty() && !modules_below_root) {
        root.binds.push_back({open_directory(fs::path("/modules") / modules_directory, 0755),
                              fs::path("/") / modules_directory});
    }

    if (!disks.work.empty()) {
        mount_at(disks.work, "/work", "ext4", MS_NOATIME | MS_NODEV);
        grow(disks.work, "/work");
        ::rmdir("/work/lost+found");
        fill_once(root.path / resolve_in(root.path, "root"), "/work");
        root.binds.push_back({open_directory("/work", 0755), "/root"});
    }
    root.binds.push_back(own_directory(root.path, "docker", "/var/lib/docker", 0710));
    root.binds.push_back(own_directory(root.path, "containerd", "/var/lib/containerd", 0711));
    return root;
}

void switch_root(const GuestRoot &root) {
    for (const char *kernel : {"/dev", "/proc", "/sys"}) {
        const fs::path target = root.path / fs::path(kernel).relative_path();
        make_mount_point(target);
        if (::mount(kernel, target.c_str(), nullptr, MS_MOVE, nullptr) != 0) {
            throw_errno(fmt::format("move {}", kernel));
        }
    }
    remove_initramfs();
    if (::chdir(root.path.c_str()) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 ||
        ::chroot(".") != 0 || ::chdir("/") != 0) {
        throw_errno("change to the guest's root");
    }
    for (const auto &bind : root.binds) {
        try {
            bind_at(bind.source, bind.target);
        } catch (const Error &error) {
            warn(error.what());
        }
    }
}

} // namespace banger::init
