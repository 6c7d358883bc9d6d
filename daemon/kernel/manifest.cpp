#include "daemon/kernel/manifest.hpp"

#include "base/names.hpp"

#include <nlohmann/json.hpp>

namespace banger::kernel {

std::string to_json(const Kernel &kernel) {
    const nlohmann::ordered_json json{
        {"format", 1},
        {"name", kernel.name},
        {"release", kernel.release},
        {"package_version", kernel.package_version},
        {"distro", kernel.distro},
        {"suite", kernel.suite},
        {"bundle", kernel.bundle},
        {"digest", kernel.digest},
        {"size", kernel.size},
        {"created", kernel.created},
        {"files", {{"kernel", "vmlinux"}, {"modules", "modules.ext4"}}},
    };
    return json.dump(2) + "\n";
}

Kernel kernel_from_json(std::string_view text, const std::filesystem::path &directory) {
    try {
        const auto json = nlohmann::json::parse(text);
        if (json.at("format") != 1) {
            fail(ErrorCode::Unsupported, "{} is of a newer format", directory.string());
        }
        Kernel kernel;
        kernel.name = ArtifactName{"kernel", json.at("name").get<std::string>()}.str();
        kernel.release = json.at("release");
        kernel.package_version = json.at("package_version");
        kernel.distro = json.at("distro");
        kernel.suite = json.at("suite");
        kernel.bundle = json.value("bundle", "");
        kernel.digest = json.at("digest");
        kernel.size = json.at("size");
        kernel.created = json.at("created");
        kernel.directory = directory;
        return kernel;
    } catch (const nlohmann::json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "the manifest of the kernel in {} is damaged: {}",
             directory.string(), error.what());
    }
}

} // namespace banger::kernel
