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
        {"newest_of_suite", kernel.newest_of_suite},
        {"source", kernel.source},
        {"bundle", kernel.bundle},
        {"digest", kernel.digest},
        {"size", kernel.size},
        {"created", kernel.created},
        {"has_modules", kernel.has_modules},
        {"has_initrd", kernel.has_initrd},
        {"missing", kernel.missing},
        {"features_known", kernel.features_known},
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
        take_findings(kernel, json);
        kernel.package_version = json.at("package_version");
        kernel.distro = json.at("distro");
        kernel.suite = json.at("suite");
        kernel.bundle = json.value("bundle", "");
        kernel.created = json.at("created");
        // 0.1 wrote neither of them, and had none but Debian's newest.
        kernel.newest_of_suite = json.value("newest_of_suite", true);
        kernel.source = json.value("source", "");
        kernel.directory = directory;
        return kernel;
    } catch (const nlohmann::json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "the manifest of the kernel in {} is damaged: {}",
             directory.string(), error.what());
    }
}

void take_findings(Kernel &kernel, const nlohmann::json &findings) {
    kernel.release = findings.at("release");
    kernel.digest = findings.at("digest");
    kernel.size = findings.at("size");
    // Missing in what 0.1 wrote, which had none but Debian's kernels.
    kernel.has_modules = findings.value("has_modules", true);
    kernel.has_initrd = findings.value("has_initrd", false);
    kernel.missing = findings.value("missing", std::vector<std::string>{});
    kernel.features_known = findings.value("features_known", true);
}

} // namespace banger::kernel
