#include "daemon/image/worker/blob_cache.hpp"

#include "daemon/oci/blob_cache.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {

void list_blob_cache(const std::filesystem::path &cache, Report &report) {
    auto entries = oci::BlobCache{cache}.list();
    std::sort(entries.begin(), entries.end(),
              [](const auto &a, const auto &b) { return a.last_used > b.last_used; });
    nlohmann::json blobs = nlohmann::json::array();
    for (const auto &entry : entries) {
        blobs.push_back({{"digest", entry.digest.str()},
                         {"size", entry.size},
                         {"last_used", std::chrono::system_clock::to_time_t(entry.last_used)},
                         {"partial", entry.partial}});
    }
    report.result({{"blobs", std::move(blobs)}});
}

void prune_blob_cache(const std::filesystem::path &cache,
                      std::optional<std::chrono::seconds> unused_for, Report &report) {
    std::optional<std::chrono::system_clock::time_point> unused_since;
    if (unused_for) {
        unused_since = std::chrono::system_clock::now() - *unused_for;
    }
    report.result({{"freed", oci::BlobCache{cache}.prune(unused_since)}});
}

} // namespace banger::image
