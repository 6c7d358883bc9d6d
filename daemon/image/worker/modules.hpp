#pragma once

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace banger::image {

/// Names of modules, as module_name() gives them.
using ModuleNames = std::set<std::string, std::less<>>;

/// modules.dep of depmod(8), read.
class ModuleDependencies {
public:
    /// No modules.
    ModuleDependencies() = default;
    /// Throws Error{ImageCorrupt}.
    explicit ModuleDependencies(std::string_view modules_dep);

    bool contains(std::string_view name) const { return find(name) != nullptr; }
    /// Files (relative, as in modules.dep) of the modules and all that they need, each after what
    /// it needs. What is no module is passed over: it is built in.
    std::vector<std::string> load_order(std::span<const std::string_view> names) const;

    /// "kernel/drivers/net/virtio_net.ko.xz" → "virtio_net"; '-' and '_' are the same.
    static std::string module_name(std::string_view file);

private:
    struct Module {
        std::string file;
        std::vector<std::string> needs; ///< files
    };
    const Module *find(std::string_view name) const;

    std::vector<Module> modules_;
};

/// What modules.builtin names.
ModuleNames builtin_modules(std::string_view modules_builtin);

/// The file's content, unpacked if it is a .ko.xz, .ko.gz or .ko.zst.
std::string read_module(const std::filesystem::path &path);

/// The kernel that a module (unpacked) was built for, as its "vermagic" says; empty if it does not.
std::string module_release(std::string_view module);

/// Runs depmod(8) over `root`/lib/modules/`release`. Throws Error{Unsupported} that says what to
/// install.
void run_depmod(const std::filesystem::path &root, const std::string &release);

} // namespace banger::image
