#include "daemon/image/worker/kernel_package.hpp"

#include "base/files.hpp"
#include "base/steps.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/image/worker/kernel_assembly.hpp"
#include "daemon/image/worker/kernel_image.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_unpacked = 4ULL << 30U;

/// "./usr/lib/modules/6.1.0/kernel/x.ko" → "6.1.0/kernel/x.ko"; nullopt for what lies elsewhere.
std::optional<std::string> below_modules(std::string_view path) {
    for (const std::string_view prefix : {"./", "/", "usr/"}) {
        if (path.starts_with(prefix)) {
            path.remove_prefix(prefix.size());
        }
    }
    constexpr std::string_view modules = "lib/modules/";
    if (!path.starts_with(modules) || path.size() == modules.size()) {
        return std::nullopt;
    }
    path.remove_prefix(modules.size());
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    const fs::path relative{path};
    if (std::any_of(relative.begin(), relative.end(),
                    [](const fs::path &p) { return p == ".."; })) {
        fail(ErrorCode::ImageCorrupt, "the package has the path {:?}", path);
    }
    return std::string(path);
}

void write_new_file(const fs::path &path, std::string_view content) {
    const UniqueFd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    write_all(file.get(), content, "write " + path.string());
}

/// What of a package concerns us, unpacked below `tree`/lib/modules.
struct Unpacked {
    std::string kernel_image;
    std::string release;
    ext4::Time newest;
};

void unpack_module_entry(ArchiveReader &tar, archive_entry *entry, const fs::path &to,
                         std::uint64_t &room) {
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        fs::create_directories(to);
        break;
    case AE_IFREG: {
        fs::create_directories(to.parent_path());
        const std::string content = tar.read_all(max_kernel_image);
        if (content.size() > room) {
            fail(ErrorCode::LimitsExceeded, "the modules are larger than {} GiB",
                 max_unpacked >> 30U);
        }
        room -= content.size();
        write_new_file(to, content);
        break;
    }
    default: // "build" and "source" are links to headers that a guest does not have
        break;
    }
}

Unpacked unpack(const KernelPackage &package, const fs::path &tree, Report &report) {
    const UniqueFd file = open_file(package.deb, O_RDONLY);
    const std::uint64_t size = fs::file_size(package.deb);
    const std::string what = "the package " + package.deb.filename().string();
    ArchiveReader deb{
        descriptor_source(file.get(), [&](std::uint64_t n) { report.bytes(n, size); }),
        ArchiveReader::Format::Ar, what};
    Unpacked result;
    std::uint64_t room = max_unpacked;
    while (archive_entry *member = deb.next()) {
        if (!std::string_view{archive_entry_pathname(member)}.starts_with("data.tar")) {
            continue;
        }
        ArchiveReader tar{deb.entry_source(), ArchiveReader::Format::Tar, what};
        while (archive_entry *entry = tar.next()) {
            const char *name = archive_entry_pathname(entry);
            std::string_view path = name != nullptr ? name : "";
            if (const auto module = below_modules(path)) {
                const std::string release = module->substr(0, module->find('/'));
                if (!result.release.empty() && result.release != release) {
                    fail(ErrorCode::ImageCorrupt, "{} has modules of two kernels", what);
                }
                result.release = release;
                result.newest = std::max(result.newest, {archive_entry_mtime(entry), 0});
                unpack_module_entry(tar, entry, tree / "lib/modules" / *module, room);
            } else if (path.starts_with("./boot/vmlinuz-") || path.starts_with("boot/vmlinuz-")) {
                result.kernel_image = tar.read_all(max_kernel_image);
            }
        }
    }
    if (result.kernel_image.empty() || result.release.empty()) {
        fail(ErrorCode::ImageCorrupt, "{} holds no kernel with modules", what);
    }
    return result;
}

} // namespace

void take_kernel(const KernelPackage &package, Report &report) {
    const fs::path tree = package.output / "unpacked";
    UndoList temporary;
    temporary.add("unpack " + package.deb.string(), [&] { fs::remove_all(tree); });
    Unpacked unpacked = unpack(package, tree, report);
    const std::string what = "the kernel in the package " + package.deb.filename().string();
    KernelParts parts;
    parts.vmlinux = bootable_vmlinux(std::move(unpacked.kernel_image), what);
    parts.release = kernel_release(parts.vmlinux);
    if (parts.release != unpacked.release) {
        fail(ErrorCode::ImageCorrupt, "{} is {}, and its modules are of {}", what, parts.release,
             unpacked.release);
    }
    parts.modules_root = tree;
    parts.newest = unpacked.newest;
    report.result(assemble_kernel(parts, package.output));
}

} // namespace banger::image
