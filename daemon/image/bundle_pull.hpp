#pragma once

#include "daemon/image/worker_making.hpp"

namespace banger::image {

/// One pull of a bundle of the catalog: the worker unpacks it while it arrives. What has arrived
/// stays in the cache, however it ends.
class Registry::BundlePull final : public WorkerMaking {
public:
    /// The entry is of a bundle.
    BundlePull(Registry &registry, std::string name, catalog::ImageEntry entry,
               std::shared_ptr<job::Job> job);

    /// As Making has it.
    static std::string means_of(const catalog::RemoteFile &bundle);
    /// As Image::manifest has it.
    static std::string manifest_of(const catalog::RemoteFile &bundle);

private:
    std::vector<std::string> arguments() const override;
    void take(const nlohmann::json &result) override;

    catalog::ImageEntry entry_;
};

} // namespace banger::image
