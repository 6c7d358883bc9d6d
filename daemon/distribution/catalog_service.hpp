#pragma once

#include "daemon/catalog/load.hpp"
#include "daemon/distribution/job_workers.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace banger::distribution {

/// Makes a job in the daemon's table (kind, subject).
using JobFactory = std::function<std::shared_ptr<job::Job>(std::string, std::string)>;

/// What can be made available, and the copies of catalogs that lie on servers. Lives on the event
/// loop's thread.
class CatalogService {
public:
    /// `config` reads the configuration anew.
    CatalogService(std::function<config::Config()> config, catalog::Places places,
                   JobWorkers &workers, JobFactory new_job);

    /// Of what is here. Throws Error{InvalidArgument} of the configuration.
    catalog::Catalog catalog() const;
    /// Whether the configuration names a catalog on a server.
    bool has_remote() const;
    /// Fetches the catalogs of the configuration's URLs, where they have changed. One that fails
    /// leaves its copy in use and the job failed; the others are fetched all the same. A refresh
    /// that is under way is returned as it is. Throws Error{InvalidArgument} of the configuration.
    std::shared_ptr<job::Job> refresh();

private:
    void fetch_next();
    void fetched(const std::string &url, const std::optional<Error> &error);

    std::function<config::Config()> config_;
    catalog::Places places_;
    JobWorkers &workers_;
    JobFactory new_job_;
    std::shared_ptr<job::Job> job_; ///< nullptr: none is under way
    std::deque<std::string> urls_;  ///< still to be fetched
    std::optional<Error> error_;    ///< of all that failed
};

} // namespace banger::distribution
