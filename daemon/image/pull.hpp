#pragma once

#include "daemon/image/worker_making.hpp"

namespace banger::image {

/// One pull of an OCI image: the worker fetches and writes. Layers that have arrived stay in the
/// cache, however it ends.
class Registry::Pull final : public WorkerMaking {
public:
    /// With a name, and the reference in full.
    Pull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> job);

private:
    std::vector<std::string> arguments() const override;
    void take(const nlohmann::json &result) override;

    PullRequest request_;
};

} // namespace banger::image
