#include "daemon/image/worker/kernel_package.hpp"

#include "base/files.hpp"
#include "base/sha256.hpp"
#include "base/steps.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/ext4/writer.hpp"
#include "daemon/image/worker/modules.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/image/worker/vmlinux.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_kernel_image = 256U << 20U;
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

/// Every file root:root and of one time: what depmod wrote has the time of now.
void write_modules_disk(const fs::path &tree, const Unpacked &unpacked, const fs::path &output) {
    OutputFile file{output};
    ext4::WriterOptions options;
    options.label = "banger-modules";
    ext4::Writer writer{file.fd(), options};
    ext4::Metadata metadata;
    metadata.modified = unpacked.newest;
    for (const char *directory : {"", "usr", "usr/lib", "usr/lib/modules"}) {
        writer.add_directory(directory, metadata);
    }
    std::vector<fs::path> paths;
    for (const auto &entry : fs::recursive_directory_iterator{tree / "lib/modules"}) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto &path : paths) {
        const std::string name = "usr" / fs::relative(path, tree);
        ext4::Metadata own = metadata;
        if (fs::is_directory(path)) {
            writer.add_directory(name, own);
        } else {
            own.permissions = 0644;
            writer.add_file(name, own, read_file(path, max_kernel_image));
        }
    }
    writer.finish();
    file.publish();
}

std::vector<std::string> write_boot_modules(const fs::path &modules, const fs::path &output) {
    const ModuleDependencies dependencies{read_file(modules / "modules.dep"),
                                          read_file(modules / "modules.builtin")};
    fs::create_directory(output);
    std::vector<std::string> names;
    std::string order;
    for (const auto &file : dependencies.load_order(boot_modules())) {
        names.push_back(ModuleDependencies::module_name(file) + ".ko");
        write_new_file(output / names.back(), read_module(modules / file));
        order += names.back() + "\n";
    }
    write_new_file(output / "order", order);
    names.emplace_back("order");
    return names;
}

} // namespace

void take_kernel(const KernelPackage &package, Report &report) {
    const fs::path tree = package.output / "unpacked";
    UndoList temporary;
    temporary.add("unpack " + package.deb.string(), [&] { fs::remove_all(tree); });
    const Unpacked unpacked = unpack(package, tree, report);
    const std::string vmlinux = vmlinux_from_bzimage(unpacked.kernel_image);
    write_new_file(package.output / "vmlinux", vmlinux);

    run_depmod(tree, unpacked.release);
    const fs::path modules = tree / "lib/modules" / unpacked.release;
    write_modules_disk(tree, unpacked, package.output / "modules.ext4");
    const auto boot_files = write_boot_modules(modules, package.output / "boot-modules");

    std::string digests = sha256_of(vmlinux) + sha256_of_file(package.output / "modules.ext4");
    for (const auto &name : boot_files) {
        digests += sha256_of_file(package.output / "boot-modules" / name);
    }
    std::uint64_t size = 0;
    for (const char *name : {"vmlinux", "modules.ext4"}) {
        struct stat status {};
        if (::stat((package.output / name).c_str(), &status) == 0) {
            size += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
    }
    report.result({{"release", unpacked.release}, {"digest", sha256_of(digests)}, {"size", size}});
}

} // namespace banger::image
