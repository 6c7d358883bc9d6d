#include "daemon/image/bundle_pull.hpp"

#include "daemon/image/run_config_json.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {

Registry::BundlePull::BundlePull(Registry &registry, std::string name, catalog::ImageEntry entry,
                                 std::shared_ptr<job::Job> job)
    : WorkerMaking(registry, std::move(name), means_of(*entry.bundle()), std::move(job)),
      entry_(std::move(entry)) {}

std::string Registry::BundlePull::means_of(const catalog::RemoteFile &bundle) {
    return fmt::format("{} ({})", bundle.url, manifest_of(bundle));
}

std::string Registry::BundlePull::manifest_of(const catalog::RemoteFile &bundle) {
    return "sha256:" + bundle.sha256;
}

std::vector<std::string> Registry::BundlePull::arguments() const {
    const catalog::RemoteFile &bundle = *entry_.bundle();
    return {"image-bundle",
            "--sha256",
            bundle.sha256,
            "--size",
            std::to_string(bundle.size),
            "--cache",
            registry().settings_.blobs.string(),
            "--output",
            temporary().string(),
            "--",
            bundle.url};
}

void Registry::BundlePull::take(const nlohmann::json &result) {
    Image image;
    image.run = run_config_from(result.at("run"));
    image.digest = result.at("digest").get<std::string>();
    image.source = entry_.bundle()->url;
    image.manifest = manifest_of(*entry_.bundle());
    image.kernel = entry_.kernel;
    image.size = result.at("size").get<std::uint64_t>();
    image.packages = result.at("packages").get<std::vector<std::string>>();
    publish(std::move(image));
}

} // namespace banger::image
