#include "daemon/oci/blob_download.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace banger::oci {
namespace {

// An attempt that brought so much counts as a success: large blobs may be cut any number of times.
constexpr std::uint64_t worthwhile_bytes = std::uint64_t{1} << 20U;

bool has_blob(long status) {
    return status == 200 || status == 206;
}

} // namespace

struct BlobDownload::Item {
    Item(std::size_t position, Descriptor descriptor)
        : index(position), blob(std::move(descriptor)) {}

    std::size_t index;
    Descriptor blob;
    std::size_t endpoint = 0;
    unsigned failures = 0;
    bool authenticated = false; ///< for the present attempt
    unsigned logins = 0;        ///< of the endpoint, when the present attempt began
    bool done = false;
    bool has_old_bytes = false; ///< which an earlier run left
    Clock::time_point not_before{};
    std::unique_ptr<PartialBlob> partial;
    std::uint64_t offset = 0; ///< where the present attempt began
    bool answered = false;    ///< by 200 or 206
    std::unique_ptr<Transfer> transfer;
};

BlobDownload::BlobDownload(std::vector<Endpoint> &endpoints, const BlobCache &cache,
                           const Settings &settings, std::string what, const std::stop_token &stop)
    : endpoints_(endpoints), cache_(cache), settings_(settings), what_(std::move(what)),
      tokens_(stop), blobs_(stop) {}

BlobDownload::~BlobDownload() = default;

void BlobDownload::run(const std::vector<Descriptor> &blobs, const OnReady &on_ready,
                       const OnProgress &on_progress) {
    items_.reserve(blobs.size());
    for (const Descriptor &blob : blobs) {
        items_.emplace_back(items_.size(), blob);
    }
    on_progress_ = on_progress;
    total_ =
        std::accumulate(blobs.begin(), blobs.end(), std::uint64_t{0},
                        [](std::uint64_t sum, const Descriptor &blob) { return sum + blob.size; });
    std::vector<bool> told(items_.size());
    for (;;) {
        const auto now = Clock::now();
        auto next = now + std::chrono::minutes{1};
        bool all_done = true;
        auto running = static_cast<std::size_t>(
            std::count_if(items_.begin(), items_.end(),
                          [](const Item &item) { return item.transfer != nullptr; }));
        for (Item &item : items_) {
            if (!item.done && !item.transfer && item.not_before > now) {
                next = std::min(next, item.not_before);
            } else if (!item.done && !item.transfer &&
                       running < std::max(1U, settings_.parallel_downloads)) {
                begin(item);
                running += item.transfer ? 1U : 0U;
                if (!item.done && !item.transfer) {
                    next = now; // what was there was wrong: begin anew
                }
            }
            if (item.done && !told[item.index]) {
                told[item.index] = true;
                on_ready(item.index);
            }
            all_done = all_done && item.done;
        }
        on_progress_(done_, total_);
        if (all_done) {
            items_.clear();
            return;
        }
        const auto pause = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
        for (const auto &[transfer, code] : blobs_.wait(pause)) {
            const auto item =
                std::find_if(items_.begin(), items_.end(), [ended = transfer](const Item &any) {
                    return any.transfer.get() == ended;
                });
            settle(*item, code);
        }
    }
}

void BlobDownload::begin(Item &item) {
    if (!item.partial) {
        if (cache_.contains(item.blob.digest)) {
            done_ += item.blob.size;
            item.done = true;
            return;
        }
        item.partial = cache_.open_partial(item.blob.digest);
        if (item.partial->size() > item.blob.size) {
            item.partial->restart();
        }
        done_ += item.partial->size();
        item.has_old_bytes = item.partial->size() > 0;
    }
    if (item.partial->size() == item.blob.size) {
        publish(item);
        return;
    }
    item.endpoint = std::max(item.endpoint, first_endpoint_);
    HttpRequest request = endpoints_[item.endpoint].request("blobs/" + item.blob.digest.str());
    item.logins = endpoints_[item.endpoint].logins();
    item.offset = item.partial->size();
    item.answered = false;
    if (item.offset > 0) {
        request.range_from = item.offset;
    }
    item.transfer = std::make_unique<Transfer>(
        blobs_, request, settings_.http,
        [this, &item](std::span<const std::byte> bytes) { receive(item, bytes); });
}

void BlobDownload::receive(Item &item, std::span<const std::byte> bytes) {
    const long status = item.transfer->status();
    if (!has_blob(status)) {
        return;
    }
    if (!item.answered) {
        item.answered = true;
        item.authenticated = false;
        const std::string range = item.transfer->header("Content-Range").value_or("");
        if (status == 200 && item.offset > 0) {
            forget_bytes(item); // it does not know Range, and sends all
        } else if (status == 206 && !range.starts_with(fmt::format("bytes {}-", item.offset))) {
            fail(ErrorCode::ImageCorrupt, "the answer is another part of the blob");
        }
    }
    if (bytes.size() > item.blob.size - item.partial->size()) {
        fail(ErrorCode::ImageCorrupt, "the answer is longer than the {} bytes of the blob",
             item.blob.size);
    }
    item.partial->append(bytes);
    done_ += bytes.size();
    on_progress_(done_, total_);
}

void BlobDownload::settle(Item &item, CURLcode code) {
    const std::unique_ptr<Transfer> transfer = std::move(item.transfer);
    const long status = transfer->status();
    if (transfer->thrown()) {
        try {
            std::rethrow_exception(transfer->thrown());
        } catch (const Error &error) {
            if (error.code() != ErrorCode::ImageCorrupt) {
                throw;
            }
            forget_bytes(item);
            give_up(item, error);
        }
    } else if (code == CURLE_OK && has_blob(status)) {
        if (item.partial->size() == item.blob.size) {
            publish(item);
        } else {
            retry(item, *transfer, CURLE_PARTIAL_FILE);
        }
    } else if (code == CURLE_OK && status == 401 && renew_login(item, *transfer)) {
        item.not_before = {};
    } else if (code == CURLE_OK && status == 416) {
        forget_bytes(item);
        retry(item, *transfer, code);
    } else if (is_transient(code, status)) {
        retry(item, *transfer, code);
    } else {
        try {
            fail_by(item, *transfer, code);
        } catch (const Error &error) {
            give_up(item, error);
        }
    }
}

bool BlobDownload::renew_login(Item &item, const Transfer &transfer) {
    Endpoint &endpoint = endpoints_[item.endpoint];
    if (endpoint.logins() != item.logins) {
        return true; // another blob's request did it meanwhile
    }
    if (std::exchange(item.authenticated, true)) {
        return false;
    }
    try {
        endpoint.authenticate(tokens_, transfer.header("WWW-Authenticate").value_or(""));
    } catch (const Error &error) {
        give_up(item, error);
    }
    return true;
}

void BlobDownload::retry(Item &item, const Transfer &transfer, CURLcode code) {
    if (item.partial->size() >= item.offset + worthwhile_bytes) {
        item.failures = 0;
    }
    if (item.failures >= retries_for(settings_.http, code)) {
        try {
            fail_by(item, transfer, code);
        } catch (const Error &error) {
            give_up(item, error);
        }
        return;
    }
    item.not_before =
        Clock::now() + retry_delay(settings_.http, item.failures, transfer.retry_after());
    ++item.failures;
}

void BlobDownload::publish(Item &item) {
    try {
        item.partial->publish();
        item.done = true;
        item.partial.reset();
    } catch (const Error &error) {
        if (error.code() != ErrorCode::ImageCorrupt) {
            throw;
        }
        done_ -= item.blob.size;
        item.partial.reset();
        // Bytes of a run that ended with the power are not the registry's fault.
        if (!std::exchange(item.has_old_bytes, false)) {
            give_up(item, error);
        }
    }
}

void BlobDownload::forget_bytes(Item &item) {
    done_ -= item.partial->size();
    item.partial->restart();
    item.has_old_bytes = false;
}

void BlobDownload::give_up(Item &item, const Error &error) {
    const std::string &registry = endpoints_[item.endpoint].registry();
    if (item.endpoint + 1 == endpoints_.size() || error.code() == ErrorCode::Cancelled) {
        throw error.with_context(fmt::format("cannot get {} of {} from registry {}",
                                             item.blob.digest.str(), what_, registry));
    }
    log::warning(fmt::format("mirror {} is passed over for {} of {}: {}", registry,
                             item.blob.digest.str(), what_, error.what()));
    ++item.endpoint;
    first_endpoint_ = std::max(first_endpoint_, item.endpoint);
    item.failures = 0;
    item.authenticated = false;
    item.not_before = {};
}

void BlobDownload::fail_by(const Item &item, const Transfer &transfer, CURLcode code) const {
    if (code != CURLE_OK) {
        fail(ErrorCode::NetworkUnavailable, "{}; {}, and try again: what has arrived is kept",
             transfer.reason(code), advice(code));
    }
    switch (const long status = transfer.status()) {
    case 401:
    case 403:
        endpoints_[item.endpoint].refused("");
    case 404:
        fail(ErrorCode::NotFound,
             "the registry does not have this blob (HTTP status 404); push the image again");
    case 429:
        fail(ErrorCode::NetworkUnavailable,
             "the registry limits downloads (HTTP status 429); log in, or try again later");
    default:
        fail(ErrorCode::NetworkUnavailable, "HTTP status {}; try again later", status);
    }
}

} // namespace banger::oci
