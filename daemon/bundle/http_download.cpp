#include "daemon/bundle/http_download.hpp"

#include "base/error.hpp"
#include "daemon/bundle/manifest.hpp"

#include <algorithm>
#include <charconv>

namespace banger::bundle {
namespace {

// An attempt that brought so much counts as a success: a bundle may be cut any number of times.
constexpr std::uint64_t worthwhile_bytes = 64ULL << 10U;
constexpr std::size_t piece_size = 1U << 20U;
/// Of a bundle whose size the catalog does not tell.
constexpr std::uint64_t max_bytes = max_rootfs_bytes + (1ULL << 30U);

bool has_bundle(long status) {
    return status == 200 || status == 206;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value}
                                                                    : std::nullopt;
}

/// The whole size in "bytes 5-9/10" and "bytes */10".
std::optional<std::uint64_t> size_in_range(std::string_view range) {
    const auto slash = range.rfind('/');
    return slash == std::string_view::npos ? std::nullopt : number(range.substr(slash + 1));
}

} // namespace

HttpDownload::HttpDownload(const catalog::RemoteFile &bundle, const oci::Digest &digest,
                           const oci::BlobCache &cache, OnBytes on_bytes,
                           const oci::HttpSettings &http)
    : url_(bundle.url), on_bytes_(std::move(on_bytes)), http_(http), set_({}),
      partial_(cache.open_partial(digest)), buffer_(piece_size) {
    if (bundle.size != 0) {
        size_ = bundle.size;
    }
    if (size_ && partial_->size() > *size_) {
        partial_->restart();
    }
}

std::uint64_t HttpDownload::bytes_to_fetch() const {
    const std::uint64_t there = partial_ ? partial_->size() : 0;
    return std::max(size_.value_or(0), there) - there;
}

std::span<const std::byte> HttpDownload::read() {
    while (partial_ && read_ == partial_->size()) {
        if (size_ && read_ == *size_) {
            publish();
            break;
        }
        if (!transfer_) {
            begin();
        }
        const auto finished = set_.wait_for_event(std::chrono::minutes{1});
        if (!finished.empty()) {
            settle(finished.front().code);
        }
    }
    if (!partial_) {
        return {};
    }
    const auto bytes = partial_->read_at(read_, buffer_);
    read_ += bytes.size();
    on_bytes_(read_, size_.value_or(0));
    return bytes;
}

void HttpDownload::begin() {
    oci::HttpRequest request;
    request.url = url_;
    request.plain_http = url_.starts_with("http://");
    offset_ = partial_->size();
    answered_ = false;
    if (offset_ > 0) {
        request.range_from = offset_;
        if (!validator_.empty()) {
            request.headers.push_back("If-Range: " + validator_);
        }
    }
    transfer_ = std::make_unique<oci::Transfer>(
        set_, request, http_, [this](std::span<const std::byte> bytes) { receive(bytes); });
}

void HttpDownload::take_answer() {
    answered_ = true;
    const bool part = transfer_->status() == 206;
    const std::string range = transfer_->header("Content-Range").value_or("");
    if (part && !range.starts_with(fmt::format("bytes {}-", offset_))) {
        fail(ErrorCode::ImageCorrupt, "{}: the answer is another part than the one asked for",
             url_);
    }
    // From its beginning: the server does not know Range, or the file is another one by now, which
    // its sha256 will show.
    skip_ = part ? 0 : offset_;
    const auto told =
        part ? size_in_range(range) : number(transfer_->header("Content-Length").value_or(""));
    if (told && size_.value_or(*told) != *told) {
        fail(ErrorCode::ImageCorrupt,
             "{} has {} bytes, and the catalog says {}: the catalog is of another version of it",
             url_, *told, *size_);
    }
    if (told.value_or(0) > max_bytes) {
        fail(ErrorCode::LimitsExceeded, "{} has {} bytes, which is more than a bundle may have",
             url_, *told);
    }
    size_ = told ? told : size_;
    // A weak one does not say that the bytes are the same.
    const std::string tag = transfer_->header("ETag").value_or("");
    validator_ = tag.empty() || tag.starts_with("W/")
                     ? transfer_->header("Last-Modified").value_or("")
                     : tag;
}

void HttpDownload::receive(std::span<const std::byte> bytes) {
    if (!has_bundle(transfer_->status())) {
        return;
    }
    if (!answered_) {
        take_answer();
    }
    const auto skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(static_cast<std::size_t>(skipped));
    if (bytes.size() > size_.value_or(max_bytes) - partial_->size()) {
        fail(ErrorCode::ImageCorrupt, "{} is longer than {} bytes", url_,
             size_.value_or(max_bytes));
    }
    partial_->append(bytes);
    if (partial_->size() >= offset_ + worthwhile_bytes) {
        failures_ = 0;
    }
}

void HttpDownload::settle(CURLcode code) {
    const long status = transfer_->status();
    if (transfer_->thrown()) {
        try {
            std::rethrow_exception(transfer_->thrown());
        } catch (const Error &error) {
            if (error.code() == ErrorCode::ImageCorrupt) {
                partial_->restart();
            }
            throw;
        }
    }
    if (code == CURLE_OK && has_bundle(status)) {
        if (!size_) {
            size_ = partial_->size(); // all that came; its sha256 decides
        } else if (partial_->size() < *size_) {
            retry(CURLE_PARTIAL_FILE);
        }
        transfer_.reset();
        return;
    }
    if (code == CURLE_OK && status == 416 && !size_ &&
        size_in_range(transfer_->header("Content-Range").value_or("")) == partial_->size()) {
        size_ = partial_->size(); // an earlier run had it all
        transfer_.reset();
        return;
    }
    if (!oci::is_transient(code, status)) {
        fail_by(code);
    }
    retry(code);
    transfer_.reset();
}

void HttpDownload::retry(CURLcode code) {
    if (failures_ >= oci::retries_for(http_, code)) {
        fail_by(code);
    }
    if (partial_->size() < offset_ + worthwhile_bytes) {
        const auto delay = oci::retry_delay(http_, failures_, transfer_->retry_after());
        transfer_.reset();
        ++failures_;
        set_.wait(delay);
    }
}

void HttpDownload::publish() {
    transfer_.reset();
    try {
        partial_->publish();
    } catch (const Error &error) {
        if (error.code() == ErrorCode::ImageCorrupt) {
            fail(ErrorCode::ImageCorrupt,
                 "{} is not what the catalog's sha256 says: the catalog is of another version of "
                 "it, or something on the way changes it",
                 url_);
        }
        throw;
    }
    partial_.reset();
}

void HttpDownload::fail_by(CURLcode code) const {
    if (code != CURLE_OK) {
        fail(ErrorCode::NetworkUnavailable,
             "cannot get {}: {}; check the network, and the proxy if there is one, and try again: "
             "what has arrived is kept",
             url_, transfer_->reason(code));
    }
    switch (const long status = transfer_->status()) {
    case 401:
    case 403:
        fail(ErrorCode::NotAuthorized, "the server refuses {} (HTTP status {})", url_, status);
    case 404:
    case 410:
        fail(ErrorCode::NotFound,
             "the server does not have {} (HTTP status {}); ask who publishes the catalog", url_,
             status);
    default:
        fail(ErrorCode::NetworkUnavailable,
             "the server does not give {} (HTTP status {}); try "
             "again later",
             url_, status);
    }
}

} // namespace banger::bundle
