#pragma once

#include "daemon/image/making.hpp"

namespace banger::image {

/// A pull of a name that no catalog has yet: the catalogs of servers are fetched first. Its job
/// then follows that of the pull itself.
class Registry::CatalogPull final : public Making,
                                    public std::enable_shared_from_this<CatalogPull> {
public:
    /// With a name; `fetch` is the job that fetches the catalogs.
    CatalogPull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> fetch,
                std::shared_ptr<job::Job> job);

    void start() override;

private:
    void cancelled();
    void fetched(const job::Snapshot &fetch);

    PullRequest request_;
    std::shared_ptr<job::Job> fetch_;
};

} // namespace banger::image
