#pragma once

#include "daemon/kernel/work.hpp"

namespace banger::kernel {

/// One pull of a bundle of the catalog: banger-image-worker unpacks it while it arrives, then the
/// kernel is published under the entry's name. What has arrived stays in the cache, however it
/// ends.
class Registry::BundlePull final : public Registry::Work {
public:
    BundlePull(Registry &registry, catalog::KernelEntry entry, std::shared_ptr<job::Job> job);

    static std::string key_of(const catalog::KernelEntry &entry) { return "bundle " + entry.name; }
    /// As Kernel::bundle has it.
    static std::string bundle_of(const catalog::KernelEntry &entry);

private:
    void first_step() override;
    void publish(const nlohmann::json &result);

    catalog::KernelEntry entry_;
};

} // namespace banger::kernel
