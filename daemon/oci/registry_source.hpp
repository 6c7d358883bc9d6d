#pragma once

#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/image_source.hpp"
#include "daemon/oci/registry_client.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

namespace banger::oci {

/// An image of a registry. Its layers are fetched on a thread of its own, which ends with it.
class RegistrySource final : public ImageSource {
public:
    RegistrySource(const RegistryReference &reference, Settings settings);
    ~RegistrySource() override;
    RegistrySource(const RegistrySource &) = delete;
    RegistrySource &operator=(const RegistrySource &) = delete;

    const ResolvedImage &image() const override { return image_; }
    std::uint64_t bytes_to_fetch() const override;
    BlobReader wait_for_layer(std::size_t index) override;

private:
    ResolvedImage resolve();
    void download() noexcept;

    std::string what_;
    Settings settings_;
    BlobCache cache_;
    std::stop_source stop_;
    RegistryClient client_; // the thread's alone while that runs
    ResolvedImage image_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<Digest> ready_;
    std::exception_ptr error_;
    std::jthread thread_;
};

} // namespace banger::oci
