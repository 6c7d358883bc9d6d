#include "daemon/distribution/catalog_service.hpp"

#include <algorithm>
#include <utility>

namespace banger::distribution {

CatalogService::CatalogService(std::function<config::Config()> config, catalog::Places places,
                               JobWorkers &workers, JobFactory new_job)
    : config_(std::move(config)), places_(std::move(places)), workers_(workers),
      new_job_(std::move(new_job)) {}

catalog::Catalog CatalogService::catalog() const {
    return catalog::load(config_().catalogs, places_);
}

bool CatalogService::has_remote() const {
    const auto catalogs = config_().catalogs;
    return std::any_of(catalogs.begin(), catalogs.end(),
                       [](const config::Catalog &one) { return !one.url.empty(); });
}

std::shared_ptr<job::Job> CatalogService::refresh() {
    if (job_) {
        return job_;
    }
    urls_.clear();
    error_.reset();
    for (const config::Catalog &one : config_().catalogs) {
        if (!one.url.empty()) {
            urls_.push_back(one.url);
        }
    }
    job_ = new_job_("refresh-catalog", "catalog");
    auto job = job_;
    fetch_next();
    return job;
}

void CatalogService::fetch_next() {
    if (urls_.empty()) {
        const auto job = std::exchange(job_, nullptr);
        if (error_) {
            job->failed(*error_);
        } else {
            job->done();
        }
        return;
    }
    const std::string url = urls_.front();
    urls_.pop_front();
    job_->stage("fetching " + url, job_->snapshot().progress);
    workers_.run(
        job_,
        {"fetch-catalog", "--output", catalog::cached_file(places_.cache, url).string(), "--", url},
        [this, url](const std::optional<Error> &error) { fetched(url, error); });
}

void CatalogService::fetched(const std::string &url, const std::optional<Error> &error) {
    if (error && error->code() == ErrorCode::Cancelled) {
        urls_.clear();
        error_ = *error;
    } else if (error) {
        std::error_code ignored;
        const bool there =
            std::filesystem::exists(catalog::cached_file(places_.cache, url), ignored);
        const auto message =
            fmt::format("{}{}; {}", error_ ? std::string(error_->what()) + "; " : "", error->what(),
                        there ? "its last copy stays in use" : "there is no copy of it yet");
        error_ = Error{error_ ? error_->code() : error->code(), message};
    }
    fetch_next();
}

} // namespace banger::distribution
