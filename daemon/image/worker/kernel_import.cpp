#include "daemon/image/worker/kernel_import.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/steps.hpp"
#include "daemon/image/worker/kernel_assembly.hpp"
#include "daemon/image/worker/kernel_directory.hpp"
#include "daemon/image/worker/kernel_image.hpp"
#include "daemon/image/worker/modules_copy.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_initrd = 256U << 20U;
constexpr std::size_t max_config = 4U << 20U;

/// A directory that the user names, and files in it, which must not lead out of it.
class Source {
public:
    explicit Source(const fs::path &directory) : root_(fs::canonical(directory)) {}

    const fs::path &root() const { return root_; }

    /// Throws Error{InvalidArgument} where `name` is a link that leads outside.
    fs::path at(const fs::path &name) const {
        fs::path path = root_ / name;
        if (!leads_inside(root_, path)) {
            fail(ErrorCode::InvalidArgument,
                 "{} is a symbolic link that leads outside of {}; give the file itself",
                 path.string(), root_.string());
        }
        return path;
    }

    bool has_file(const fs::path &name) const {
        std::error_code ignored;
        return fs::exists(fs::symlink_status(root_ / name, ignored)) &&
               fs::is_regular_file(at(name));
    }
    bool has_directory(const fs::path &name) const {
        std::error_code ignored;
        return fs::exists(fs::symlink_status(root_ / name, ignored)) && fs::is_directory(at(name));
    }
    /// Names in the directory `name`, sorted; none where it is not there.
    std::vector<std::string> names_in(const fs::path &name) const {
        std::vector<std::string> names;
        if (has_directory(name)) {
            for (const auto &entry : fs::directory_iterator{at(name)}) {
                names.push_back(entry.path().filename());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }

private:
    fs::path root_;
};

constexpr auto module_folders =
    std::to_array<std::string_view>({"lib/modules", "usr/lib/modules", "modules"});

/// "vmlinuz-6.1.0" and the like in the directory itself or its boot/, and vmlinuz beside modules.
std::vector<fs::path> versioned_kernels(const Source &source) {
    std::vector<fs::path> found;
    std::set<fs::path> seen;
    const auto add = [&](const fs::path &name) {
        if (source.has_file(name) && seen.insert(fs::canonical(source.at(name))).second) {
            found.push_back(name);
        }
    };
    for (const char *folder : {"", "boot"}) {
        for (const auto &name : source.names_in(folder)) {
            for (const char *prefix : {"vmlinuz-", "vmlinux-", "bzImage-"}) {
                if (name.starts_with(prefix)) {
                    add(fs::path{folder} / name);
                }
            }
        }
    }
    for (const auto folder : module_folders) {
        for (const auto &release : source.names_in(folder)) {
            add(fs::path{folder} / release / "vmlinuz");
        }
    }
    return found;
}

fs::path find_kernel(const Source &source) {
    // A bzImage goes before the vmlinux that it was made from: that may carry debugging symbols.
    for (const char *name : {"bzImage", "arch/x86/boot/bzImage", "boot/bzImage", "vmlinuz",
                             "boot/vmlinuz", "vmlinux", "boot/vmlinux"}) {
        if (source.has_file(name)) {
            return source.at(name);
        }
    }
    const auto versioned = versioned_kernels(source);
    if (versioned.empty()) {
        fail(
            ErrorCode::NotFound,
            "there is no kernel in {}: neither vmlinux nor vmlinuz, vmlinuz-* or bzImage, in it or "
            "its boot/",
            source.root().string());
    }
    if (versioned.size() > 1) {
        std::string names;
        for (const auto &name : versioned) {
            names += (names.empty() ? "" : ", ") + name.string();
        }
        fail(ErrorCode::InvalidArgument,
             "there are several kernels in {}: {}; name one of these files, and the modules beside "
             "it",
             source.root().string(), names);
    }
    return source.at(versioned.front());
}

bool holds_modules(const Source &source, const fs::path &name) {
    const auto names = source.names_in(name);
    return std::any_of(names.begin(), names.end(), [](const std::string &entry) {
        return entry == "kernel" || entry.starts_with("modules.");
    });
}

/// The directory of the release's modules; empty where there are none at all. Throws
/// Error{InvalidArgument} where there are only those of others.
fs::path find_modules(const Source &source, const std::string &release) {
    std::set<std::string> others;
    for (const auto folder : module_folders) {
        for (const auto &name : source.names_in(folder)) {
            if (name == release) {
                return source.at(fs::path{folder} / name);
            }
            if (holds_modules(source, fs::path{folder} / name)) {
                others.insert(name);
            }
        }
    }
    if (!others.empty()) {
        fail(ErrorCode::InvalidArgument, "the kernel is {}, and in {} are modules of {}", release,
             source.root().string(), fmt::join(others, ", "));
    }
    return holds_modules(source, "modules") ? source.at("modules") : fs::path{};
}

/// What --modules names.
fs::path named_modules(const fs::path &directory, const std::string &release) {
    if (!fs::is_directory(directory)) {
        fail(ErrorCode::NotFound, "there is no directory {} with modules", directory.string());
    }
    const Source source{directory};
    if (source.has_directory(release)) {
        return source.at(release);
    }
    if (holds_modules(source, "")) {
        return source.root();
    }
    fs::path found = find_modules(source, release);
    if (found.empty()) {
        fail(ErrorCode::NotFound, "there are no modules of {} in {}", release, directory.string());
    }
    return found;
}

/// config-RELEASE, or what a tree that the kernel was built in has.
std::optional<std::string> find_config(const Source &source, const std::string &release) {
    for (const auto &name : {"config-" + release, "boot/config-" + release, std::string("config"),
                             std::string(".config")}) {
        if (source.has_file(name)) {
            return read_file(source.at(name), max_config);
        }
    }
    return std::nullopt;
}

std::string read_initrd(const fs::path &path) {
    if (path.empty()) {
        return {};
    }
    if (!fs::is_regular_file(path)) {
        fail(ErrorCode::NotFound, "there is no file {} for an initrd", path.string());
    }
    std::string content = read_file(path, max_initrd);
    require_initrd(content, path.string());
    return content;
}

std::string read_kernel(const fs::path &path) {
    if (!fs::is_regular_file(path)) {
        fail(ErrorCode::NotFound, "there is no kernel {}: neither a file nor a directory",
             path.string());
    }
    return bootable_vmlinux(read_file(path, max_kernel_image), path.string());
}

} // namespace

void import_kernel(const KernelImport &import, Report &report) {
    const auto source =
        fs::is_directory(import.from) ? std::optional{Source{import.from}} : std::nullopt;
    KernelParts parts;
    parts.vmlinux = read_kernel(source ? find_kernel(*source) : import.from);
    parts.release = kernel_release(parts.vmlinux);
    parts.initrd = read_initrd(import.initrd);
    if (source) {
        parts.config = find_config(*source, parts.release);
    }
    if (!parts.config) {
        parts.config = embedded_config(parts.vmlinux);
    }
    const fs::path modules = !import.modules.empty() ? named_modules(import.modules, parts.release)
                             : source                ? find_modules(*source, parts.release)
                                                     : fs::path{};
    const fs::path tree = import.output / "unpacked";
    UndoList temporary;
    if (!modules.empty()) {
        temporary.add("copy " + modules.string(), [&] { fs::remove_all(tree); });
        parts.modules_root = tree;
        const fs::path copy = tree / "lib/modules" / parts.release;
        fs::create_directories(copy);
        parts.newest = copy_modules(modules, copy, report);
    }
    report.result(assemble_kernel(parts, import.output));
}

} // namespace banger::image
