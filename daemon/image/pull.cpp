#include "daemon/image/pull.hpp"

#include "daemon/image/run_config_json.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {
namespace {

constexpr std::string_view default_kernel = "debian";

} // namespace

Registry::Pull::Pull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> job)
    : WorkerMaking(registry, request.name, request.reference, std::move(job)),
      request_(std::move(request)) {}

std::vector<std::string> Registry::Pull::arguments() const {
    std::vector<std::string> arguments{"oci-to-ext4", "--cache",
                                       registry().settings_.blobs.string(), "--output",
                                       (temporary() / "rootfs.ext4").string()};
    const auto there = registry().find(request_.name);
    if (there && there->source == request_.reference) {
        arguments.insert(arguments.end(), {"--known", there->manifest});
    }
    for (const auto &one : request_.registries) {
        for (const auto &mirror : one.mirrors) {
            arguments.insert(arguments.end(), {"--mirror", one.host + "=" + mirror});
        }
        if (one.insecure) {
            arguments.insert(arguments.end(), {"--insecure", one.host});
        }
    }
    arguments.insert(arguments.end(), {"--", request_.reference});
    return arguments;
}

void Registry::Pull::take(const nlohmann::json &result) {
    if (result.value("unchanged", false)) {
        return;
    }
    Image image;
    image.run = run_config_from(result.at("run"));
    image.digest = image_digest(result.at("digest").get<std::string>(), image.run);
    image.source = request_.reference;
    image.manifest = result.at("manifest").get<std::string>();
    image.kernel = request_.kernel.empty() ? std::string(default_kernel) : request_.kernel;
    image.size = result.at("size").get<std::uint64_t>();
    publish(std::move(image));
}

} // namespace banger::image
