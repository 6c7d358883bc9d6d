#pragma once

#include "daemon/bundle/download.hpp"

#include <chrono>

namespace banger::bundle {

/// By HTTP, through a partial file in the cache: a cut connection, and a run that was ended, go on
/// where they were (RFC 9110, Range and If-Range).
class HttpDownload final : public Download {
public:
    HttpDownload(const catalog::RemoteFile &bundle, const oci::Digest &digest,
                 const oci::BlobCache &cache, OnBytes on_bytes, const oci::HttpSettings &http);

    std::span<const std::byte> read() override;
    std::uint64_t bytes_to_fetch() const override;

private:
    void begin();
    void receive(std::span<const std::byte> bytes);
    void take_answer();
    void settle(CURLcode code);
    void retry(CURLcode code);
    void publish();
    [[noreturn]] void fail_by(CURLcode code) const;

    std::string url_;
    OnBytes on_bytes_;
    oci::HttpSettings http_;
    oci::TransferSet set_;
    std::unique_ptr<oci::PartialBlob> partial_; ///< none: all is read
    std::vector<std::byte> buffer_;
    std::uint64_t read_ = 0;            ///< bytes that read() gave
    std::optional<std::uint64_t> size_; ///< of the whole, once known
    std::string validator_;             ///< for If-Range; empty: none
    std::uint64_t offset_ = 0;          ///< where the present attempt began
    std::uint64_t skip_ = 0;            ///< bytes of the answer that are there already
    bool answered_ = false;             ///< by 200 or 206
    unsigned failures_ = 0;             ///< since bytes have come
    std::unique_ptr<oci::Transfer> transfer_;
};

} // namespace banger::bundle
