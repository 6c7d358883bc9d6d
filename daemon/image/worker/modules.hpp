#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace banger::image {

/// modules.dep of depmod(8), read.
class ModuleDependencies {
public:
    /// `text` is modules.dep, `builtin` modules.builtin. Throws Error{ImageCorrupt}.
    ModuleDependencies(std::string_view text, std::string_view builtin);

    /// Files (relative, as in modules.dep) of the modules and all that they need, each after what
    /// it needs. A module that is built in is passed over. Throws Error{Unsupported} that names one
    /// that the kernel does not have.
    std::vector<std::string> load_order(const std::vector<std::string_view> &names) const;

    /// "kernel/drivers/net/virtio_net.ko.xz" → "virtio_net"; '-' and '_' are the same.
    static std::string module_name(std::string_view file);

private:
    struct Module {
        std::string file;
        std::vector<std::string> needs; ///< files
    };
    const Module *find(std::string_view name) const;

    std::vector<Module> modules_;
    std::vector<std::string> builtin_;
};

/// What a guest needs before its disks and its channel are there.
std::vector<std::string_view> boot_modules();

/// The file's content, unpacked if it is a .ko.xz, .ko.gz or .ko.zst.
std::string read_module(const std::filesystem::path &path);

/// Runs depmod(8) over `root`/lib/modules/`release`. Throws Error{Unsupported} that says what to
/// install.
void run_depmod(const std::filesystem::path &root, const std::string &release);

} // namespace banger::image
