#include "daemon/image/worker/modules.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "daemon/archive/archive_reader.hpp"

#include <algorithm>
#include <functional>

namespace banger::image {
namespace {

constexpr std::size_t max_module = 64U << 20U;

template <typename Function>
void for_each_line(std::string_view text, Function function) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty()) {
            function(line);
        }
    }
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
        const auto end = text.find(' ');
        if (end != 0) {
            result.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return result;
}

} // namespace

ModuleDependencies::ModuleDependencies(std::string_view modules_dep) {
    for_each_line(modules_dep, [&](std::string_view line) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            fail(ErrorCode::ImageCorrupt, "modules.dep has a line without a colon");
        }
        modules_.push_back({std::string(line.substr(0, colon)), words(line.substr(colon + 1))});
    });
}

std::string ModuleDependencies::module_name(std::string_view file) {
    file.remove_prefix(file.rfind('/') + 1); // npos + 1 is 0
    std::string name(file.substr(0, file.find(".ko")));
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

const ModuleDependencies::Module *ModuleDependencies::find(std::string_view name) const {
    const auto found = std::find_if(modules_.begin(), modules_.end(), [&](const Module &module) {
        return module_name(module.file) == name;
    });
    return found == modules_.end() ? nullptr : &*found;
}

std::vector<std::string>
ModuleDependencies::load_order(std::span<const std::string_view> names) const {
    std::vector<std::string> order;
    ModuleNames seen;
    const std::function<void(std::string_view)> visit = [&](std::string_view name) {
        if (!seen.emplace(name).second) {
            return;
        }
        const Module *module = find(name);
        if (module == nullptr) {
            return;
        }
        // depmod names what is needed first last.
        for (auto need = module->needs.rbegin(); need != module->needs.rend(); ++need) {
            visit(module_name(*need));
        }
        order.push_back(module->file);
    };
    for (const auto name : names) {
        visit(name);
    }
    return order;
}

ModuleNames builtin_modules(std::string_view modules_builtin) {
    ModuleNames names;
    for_each_line(modules_builtin, [&](std::string_view line) {
        names.insert(ModuleDependencies::module_name(line));
    });
    return names;
}

std::string read_module(const std::filesystem::path &path) {
    std::string content = read_file(path, max_module);
    if (path.extension() == ".ko") {
        return content;
    }
    ArchiveReader reader{memory_source(std::as_bytes(std::span{content})),
                         ArchiveReader::Format::Raw, path.filename().string()};
    if (reader.next() == nullptr) {
        fail(ErrorCode::ImageCorrupt, "the module {} is empty", path.filename().string());
    }
    return reader.read_all(max_module);
}

std::string module_release(std::string_view module) {
    constexpr std::string_view field{"\0vermagic=",
                                     10}; // in .modinfo: NAME=VALUE, each ended by a 0
    const auto at = module.find(field);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view value = module.substr(at + field.size());
    return std::string(value.substr(0, value.find_first_of(std::string_view{" \0", 2})));
}

void run_depmod(const std::filesystem::path &root, const std::string &release) {
    // An ordinary user's PATH does not lead to it.
    for (const char *program : {"/usr/sbin/depmod", "/sbin/depmod", "/usr/bin/depmod"}) {
        if (std::filesystem::exists(program)) {
            Command command;
            command.argv = {program, "--basedir", root.string(), release};
            command.die_with_parent = true;
            run_and_read(std::move(command));
            return;
        }
    }
    fail(ErrorCode::Unsupported, "depmod is missing: install the package kmod");
}

} // namespace banger::image
