#include "daemon/kernel/import.hpp"

#include "daemon/kernel/manifest.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace banger::kernel {
namespace {

constexpr double at_publication = 0.9;

} // namespace

Registry::Import::Import(Registry &registry, ImportRequest request, std::shared_ptr<job::Job> job)
    : Work(registry, key_of(request.name), std::move(job)), request_(std::move(request)) {}

void Registry::Import::first_step() {
    job()->stage("importing " + request_.from.string(), 0);
    const std::filesystem::path output = temporary() / "kernel";
    std::filesystem::create_directory(output);
    std::vector<std::string> arguments{"kernel-import", "--output", output.string()};
    if (!request_.modules.empty()) {
        arguments.insert(arguments.end(), {"--modules", request_.modules.string()});
    }
    if (!request_.initrd.empty()) {
        arguments.insert(arguments.end(), {"--initrd", request_.initrd.string()});
    }
    arguments.insert(arguments.end(), {"--", request_.from.string()});
    run_worker(std::move(arguments), 0, at_publication,
               [this](const nlohmann::json &findings) { publish(findings); });
}

void Registry::Import::publish(const nlohmann::json &findings) {
    Kernel kernel;
    take_findings(kernel, findings);
    kernel.name = request_.name;
    kernel.distro = request_.distro;
    kernel.source = request_.from.string();
    kernel.created = std::time(nullptr);
    if (registry().kernels_.contains(kernel.name)) {
        // Somebody may have begun to use it meanwhile.
        registry().require_unused(kernel.name);
    }
    registry().publish(std::move(kernel), temporary() / "kernel");
    conclude(std::nullopt);
}

} // namespace banger::kernel
