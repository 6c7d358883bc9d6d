#include "daemon/kernel/bundle_pull.hpp"

#include "daemon/kernel/manifest.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace banger::kernel {

Registry::BundlePull::BundlePull(Registry &registry, catalog::KernelEntry entry,
                                 std::shared_ptr<job::Job> job)
    : Work(registry, key_of(entry), std::move(job)), entry_(std::move(entry)) {}

std::string Registry::BundlePull::bundle_of(const catalog::KernelEntry &entry) {
    return "sha256:" + entry.bundle.sha256;
}

void Registry::BundlePull::first_step() {
    job()->stage("pulling " + entry_.bundle.url, 0);
    const std::filesystem::path output = temporary() / "kernel";
    std::filesystem::create_directory(output);
    run_worker({"kernel-bundle", "--sha256", entry_.bundle.sha256, "--size",
                std::to_string(entry_.bundle.size), "--cache", registry().settings_.blobs.string(),
                "--output", output.string(), "--", entry_.bundle.url},
               0, 1, [this](const nlohmann::json &result) {
                   try {
                       publish(result);
                   } catch (const nlohmann::json::exception &error) {
                       fail(ErrorCode::ImageCorrupt,
                            "the bundle {} says too little of its kernel: {}", entry_.bundle.url,
                            error.what());
                   }
               });
}

void Registry::BundlePull::publish(const nlohmann::json &result) {
    const nlohmann::json &about = result.at("about");
    Kernel kernel;
    take_findings(kernel, result);
    kernel.name = entry_.name;
    kernel.package_version = about.value("package_version", "");
    kernel.distro = about.value("distro", "");
    kernel.suite = about.value("suite", "");
    kernel.missing = about.value("missing", std::vector<std::string>{});
    kernel.features_known = about.value("features_known", false);
    kernel.source = entry_.bundle.url;
    kernel.bundle = bundle_of(entry_);
    kernel.created = std::time(nullptr);
    if (registry().kernels_.contains(kernel.name)) {
        // Somebody may have begun to use it meanwhile.
        registry().require_unused(kernel.name);
    }
    registry().publish(std::move(kernel), temporary() / "kernel");
    conclude(std::nullopt);
}

} // namespace banger::kernel
