#include "daemon/image/layer_cache.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {
namespace {

std::vector<LayerCache::Blob> blobs_from(const nlohmann::json &result) {
    std::vector<LayerCache::Blob> blobs;
    for (const auto &blob : result.at("blobs")) {
        blobs.push_back(
            {blob.at("digest"), blob.at("size"), blob.at("last_used"), blob.at("partial")});
    }
    return blobs;
}

} // namespace

void LayerCache::run(std::vector<std::string> arguments,
                     std::function<void(Outcome<nlohmann::json>)> done) {
    const auto place = tasks_.emplace(tasks_.end());
    task::WorkerTask::Handlers handlers;
    handlers.ended = [this, place, done = std::move(done)](Outcome<nlohmann::json> result) {
        const auto ended = std::move(*place);
        tasks_.erase(place);
        done(std::move(result));
    };
    try {
        *place = std::make_unique<task::WorkerTask>(loop_, worker_, std::move(arguments),
                                                    std::nullopt, std::move(handlers));
    } catch (...) {
        tasks_.erase(place);
        throw;
    }
}

void LayerCache::list(std::function<void(Outcome<std::vector<Blob>>)> done) {
    run({"blob-list", "--cache", directory_.string()},
        [done = std::move(done)](Outcome<nlohmann::json> result) {
            try {
                done(blobs_from(result.value()));
            } catch (const Error &error) {
                done(error);
            } catch (const nlohmann::json::exception &error) {
                done(Error{ErrorCode::Internal, error.what()});
            }
        });
}

std::shared_ptr<job::Job> LayerCache::prune(std::optional<std::chrono::seconds> unused_for) {
    std::vector<std::string> arguments{"blob-prune", "--cache", directory_.string()};
    if (unused_for) {
        arguments.insert(arguments.end(), {"--unused-for", std::to_string(unused_for->count())});
    }
    auto job = new_job_("prune-image-cache", "");
    try {
        run(std::move(arguments), [job](Outcome<nlohmann::json> result) {
            try {
                const auto freed = result.value().at("freed").get<std::uint64_t>();
                job->bytes(freed, freed);
                job->done();
            } catch (const Error &error) {
                job->failed(error);
            } catch (const nlohmann::json::exception &error) {
                job->failed(Error{ErrorCode::Internal, error.what()});
            }
        });
    } catch (const Error &error) {
        job->failed(error);
    }
    return job;
}

} // namespace banger::image
