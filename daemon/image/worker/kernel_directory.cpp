#include "daemon/image/worker/kernel_directory.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/ext4/libext2fs.hpp"
#include "daemon/image/worker/initramfs.hpp"
#include "daemon/image/worker/kernel_image.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_initrd = 256U << 20U;

/// Regular, and no symbolic link to what lies elsewhere. Bytes that it takes on the disk.
std::uint64_t require_file(const fs::path &path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        throw_errno(fmt::format("look at {}", path.string()));
    }
    if (!S_ISREG(status.st_mode)) {
        fail(ErrorCode::ImageCorrupt, "{} is no regular file", path.string());
    }
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

void require_modules_disk(const fs::path &path) {
    constexpr std::string_view label = "banger-modules";
    constexpr off_t superblock_offset = 1024;
    ext2_super_block superblock{};
    const UniqueFd file = open_file(path, O_RDONLY);
    const ssize_t n = ::pread(file.get(), &superblock, sizeof superblock, superblock_offset);
    const char *name = reinterpret_cast<const char *>(superblock.s_volume_name);
    if (n != static_cast<ssize_t>(sizeof superblock) || superblock.s_magic != EXT2_SUPER_MAGIC ||
        std::string_view{name, ::strnlen(name, sizeof superblock.s_volume_name)} != label) {
        fail(ErrorCode::ImageCorrupt, "{} is no ext4 file system with the label {}", path.string(),
             label);
    }
}

} // namespace

nlohmann::json describe_kernel(const fs::path &directory) {
    std::vector<std::string> names{"vmlinux", "boot-modules/order"};
    const bool modules = fs::exists(fs::symlink_status(directory / "modules.ext4"));
    const bool initrd = fs::exists(fs::symlink_status(directory / "initrd"));
    if (modules) {
        names.emplace_back("modules.ext4");
    }
    if (initrd) {
        names.emplace_back("initrd");
    }
    for (const auto &module : boot_module_order(directory)) {
        names.push_back("boot-modules/" + module);
    }
    std::sort(names.begin(), names.end());
    std::uint64_t size = 0;
    for (const auto &name : names) {
        size += require_file(directory / name);
    }

    const std::string vmlinux = bootable_vmlinux(read_file(directory / "vmlinux", max_kernel_image),
                                                 (directory / "vmlinux").string());
    if (modules) {
        require_modules_disk(directory / "modules.ext4");
    }
    if (initrd) {
        const fs::path path = directory / "initrd";
        require_initrd(read_file(path, max_initrd), path.string());
    }
    std::string sums;
    for (const auto &name : names) {
        sums += fmt::format("{}  {}\n", sha256_of_file(directory / name), name);
    }
    return {{"release", kernel_release(vmlinux)},
            {"digest", sha256_of(sums)},
            {"size", size},
            {"has_modules", modules},
            {"has_initrd", initrd}};
}

void require_initrd(std::string_view content, std::string_view what) {
    // What the kernel's lib/decompress.c knows, and cpio itself (newc, without and with checksums).
    constexpr auto beginnings = std::to_array<std::string_view>({"070701",
                                                                 "070702",
                                                                 "\x1f\x8b",
                                                                 "\x1f\x9e",
                                                                 "BZh",
                                                                 {"\x5d\x00", 2},
                                                                 "\xfd"
                                                                 "7zXZ",
                                                                 "\x89LZO",
                                                                 "\x02\x21\x4c\x18",
                                                                 "\x28\xb5\x2f\xfd"});
    if (std::none_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return content.starts_with(beginning); })) {
        fail(ErrorCode::ImageCorrupt, "{} is no initramfs: neither a cpio nor a compressed one",
             what);
    }
}

} // namespace banger::image
