#include "daemon/oci/registry_source.hpp"

#include "daemon/oci/assemble.hpp"

#include <algorithm>
#include <map>

namespace banger::oci {

RegistrySource::RegistrySource(const RegistryReference &reference, Settings settings)
    : what_(to_string(reference)), settings_(std::move(settings)),
      cache_(settings_.cache_directory), client_(reference, settings_, cache_, stop_.get_token()),
      image_(resolve()) {}

RegistrySource::~RegistrySource() {
    stop_.request_stop();
}

ResolvedImage RegistrySource::resolve() {
    RegistryClient::Resolved resolved = client_.resolve();
    client_.fetch_blobs(
        {resolved.manifest.config}, [](std::size_t) {}, [](std::uint64_t, std::uint64_t) {});
    BlobReader config = cache_.open(resolved.manifest.config, "the configuration of " + what_);
    return assemble(std::move(resolved.digest), std::move(resolved.manifest), std::move(config),
                    what_);
}

std::uint64_t RegistrySource::bytes_to_fetch() const {
    std::map<Digest, std::uint64_t> missing;
    for (const Descriptor &layer : image_.layers) {
        missing[layer.digest] = layer.size;
    }
    for (const BlobCache::Entry &there : cache_.list()) { // what an earlier attempt left included
        if (const auto found = missing.find(there.digest); found != missing.end()) {
            found->second -= std::min(found->second, there.size);
        }
    }
    std::uint64_t sum = 0;
    for (const auto &[digest, bytes] : missing) {
        sum += bytes;
    }
    return sum;
}

BlobReader RegistrySource::wait_for_layer(std::size_t index) {
    const Descriptor &layer = image_.layers.at(index);
    if (!thread_.joinable()) {
        thread_ = std::jthread{[this] { download(); }};
    }
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return error_ || ready_.contains(layer.digest); });
    if (error_) {
        std::rethrow_exception(error_);
    }
    return cache_.open(layer, layer_name(index, what_));
}

void RegistrySource::download() noexcept {
    try {
        std::vector<Descriptor> blobs;
        std::set<Digest> known;
        for (const Descriptor &layer : image_.layers) {
            if (known.insert(layer.digest).second) {
                blobs.push_back(layer);
            }
        }
        const auto on_ready = [&](std::size_t index) {
            const std::lock_guard lock{mutex_};
            ready_.insert(blobs[index].digest);
            changed_.notify_all();
        };
        const auto on_progress = [&](std::uint64_t done, std::uint64_t total) {
            if (settings_.progress) {
                settings_.progress(done, total);
            }
        };
        client_.fetch_blobs(blobs, on_ready, on_progress);
    } catch (...) {
        const std::lock_guard lock{mutex_};
        error_ = std::current_exception();
        changed_.notify_all();
    }
}

} // namespace banger::oci
