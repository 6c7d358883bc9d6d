#include "daemon/image/worker/kernel_assembly.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/ext4/writer.hpp"
#include "daemon/image/worker/kernel_directory.hpp"
#include "daemon/image/worker/kernel_features.hpp"
#include "daemon/image/worker/kernel_image.hpp"
#include "daemon/image/worker/output_file.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_modules_list = 16U << 20U;

void write_new_file(const fs::path &path, std::string_view content) {
    const UniqueFd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    write_all(file.get(), content, "write " + path.string());
}

/// Every file root:root and of one time: what depmod wrote has the time of now.
void write_modules_disk(const KernelParts &parts, const fs::path &output) {
    OutputFile file{output};
    ext4::WriterOptions options;
    options.label = "banger-modules";
    ext4::Writer writer{file.fd(), options};
    ext4::Metadata metadata;
    metadata.modified = parts.newest;
    for (const char *directory : {"", "usr", "usr/lib", "usr/lib/modules"}) {
        writer.add_directory(directory, metadata);
    }
    std::vector<fs::path> paths;
    for (const auto &entry : fs::recursive_directory_iterator{parts.modules_root / "lib/modules"}) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto &path : paths) {
        const std::string name = "usr" / fs::relative(path, parts.modules_root);
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

KernelFeatures features_of(const fs::path &modules, const std::optional<std::string> &config) {
    KernelFeatures features;
    if (!modules.empty()) {
        features.modules = ModuleDependencies{read_file(modules / "modules.dep", max_modules_list)};
        if (const auto list = modules / "modules.builtin"; fs::exists(list)) {
            features.builtin = builtin_modules(read_file(list, max_modules_list));
        }
    }
    if (config) {
        ModuleNames names = builtin_by_config(*config);
        names.merge(features.builtin.value_or(ModuleNames{}));
        features.builtin = std::move(names);
    }
    return features;
}

/// A module that was built for another kernel would be refused by this one, in each guest.
void require_release(std::string_view module, const std::string &name, const std::string &release) {
    const std::string built_for = module_release(module);
    if (!built_for.empty() && built_for != release) {
        fail(ErrorCode::InvalidArgument, "the kernel is {}, and its module {} is of {}", release,
             name, built_for);
    }
}

void write_boot_modules(const fs::path &modules, const ModuleDependencies &dependencies,
                        const std::string &release, const fs::path &output) {
    fs::create_directory(output);
    std::string order;
    for (const auto &file : dependencies.load_order(boot_modules())) {
        const std::string name = ModuleDependencies::module_name(file) + ".ko";
        const std::string content = read_module(modules / file);
        require_release(content, name, release);
        write_new_file(output / name, content);
        order += name + "\n";
    }
    write_new_file(output / "order", order);
}

} // namespace

nlohmann::json assemble_kernel(const KernelParts &parts, const fs::path &output) {
    fs::path modules;
    if (!parts.modules_root.empty()) {
        modules = parts.modules_root / "lib/modules" / parts.release;
        run_depmod(parts.modules_root, parts.release);
    }
    const KernelFeatures features = features_of(modules, parts.config);
    const std::vector<std::string> missing = missing_features(features);
    write_boot_modules(modules, features.modules, parts.release, output / "boot-modules");
    write_new_file(output / "vmlinux", parts.vmlinux);
    if (!modules.empty()) {
        write_modules_disk(parts, output / "modules.ext4");
    }
    if (!parts.initrd.empty()) {
        write_new_file(output / "initrd", parts.initrd);
    }
    nlohmann::json result = describe_kernel(output);
    result["missing"] = missing;
    result["features_known"] = features.builtin.has_value();
    return result;
}

} // namespace banger::image
