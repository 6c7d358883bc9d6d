#pragma once

#include "base/error.hpp"
#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/descriptor.hpp"
#include "daemon/oci/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace banger::oci {

/// Fetches blobs of one repository into the cache, several at once, by one thread. A cut connection
/// goes on where it was (RFC 9110, Range); an endpoint that fails for good gives way to the next.
class BlobDownload {
public:
    /// `what` names the image in messages. `endpoints` get new tokens as they ask for them.
    BlobDownload(std::vector<Endpoint> &endpoints, const BlobCache &cache, const Settings &settings,
                 std::string what, const std::stop_token &stop);
    ~BlobDownload();
    BlobDownload(const BlobDownload &) = delete;
    BlobDownload &operator=(const BlobDownload &) = delete;

    using OnReady = std::function<void(std::size_t index)>;
    using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;
    /// Until all are in the cache; the earlier ones are begun first. No digest may be there twice.
    /// Throws Error: ImageCorrupt, NotFound, NotAuthorized, NetworkUnavailable, Cancelled, and what
    /// writing files throws; what has arrived stays for the next run.
    void run(const std::vector<Descriptor> &blobs, const OnReady &on_ready,
             const OnProgress &on_progress);

private:
    using Clock = std::chrono::steady_clock;
    struct Item;

    void begin(Item &item);
    void receive(Item &item, std::span<const std::byte> bytes);
    void settle(Item &item, CURLcode code);
    /// Whether it is worth another attempt, at this endpoint or the next.
    bool renew_login(Item &item, const Transfer &transfer);
    void retry(Item &item, const Transfer &transfer, CURLcode code);
    void publish(Item &item);
    void forget_bytes(Item &item);
    /// Goes to the next endpoint, or throws.
    void give_up(Item &item, const Error &error);
    /// What to say of an answer that is not the blob.
    [[noreturn]] void fail_by(const Item &item, const Transfer &transfer, CURLcode code) const;

    std::vector<Endpoint> &endpoints_;
    const BlobCache &cache_;
    const Settings &settings_;
    std::string what_;
    TransferSet tokens_;
    TransferSet blobs_;
    std::vector<Item> items_;
    std::size_t first_endpoint_ = 0; ///< for blobs that are yet to begin: those before have failed
    OnProgress on_progress_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
};

} // namespace banger::oci
