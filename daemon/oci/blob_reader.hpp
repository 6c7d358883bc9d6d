#pragma once

#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "daemon/oci/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace banger::oci {

/// Reads a blob from its beginning and holds it to its descriptor. What read() gave is only to be
/// trusted after finish().
class BlobReader {
public:
    /// `what` names the blob in messages. `remove_if_damaged`: its file in a cache, so that the
    /// next attempt fetches it anew.
    BlobReader(UniqueFd fd, Descriptor blob, std::string what,
               std::filesystem::path remove_if_damaged = {});

    /// The next bytes; empty: the end, and the blob is what its digest says. Valid until the next
    /// call. Throws Error{ImageCorrupt}.
    std::span<const std::byte> read();
    /// Reads what is left: a tar ends before its file does. Throws as read().
    void finish();
    /// finish() with all bytes, up to `limit`. Throws Error{LimitsExceeded}.
    std::string read_all(std::size_t limit);

    const Descriptor &blob() const noexcept { return blob_; }

private:
    void verify();
    [[noreturn]] void damaged(std::string_view how);

    UniqueFd fd_;
    Descriptor blob_;
    std::string what_;
    std::filesystem::path remove_if_damaged_;
    std::vector<std::byte> buffer_;
    std::uint64_t offset_ = 0;
    Sha256 sum_;
    bool verified_ = false;
};

} // namespace banger::oci
