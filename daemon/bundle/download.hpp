#pragma once

#include "daemon/catalog/recipe.hpp"
#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace banger::bundle {

/// The bytes of a bundle, from its first to its last, as they arrive; of a file of this host, of
/// the cache, or by HTTP. What read() gave is only to be trusted after finish().
class Download {
public:
    using OnBytes = std::function<void(std::uint64_t done, std::uint64_t total)>;

    /// Throws Error{InvalidArgument} for a URL that is none, NotFound for a file that is not there.
    static std::unique_ptr<Download> open(const catalog::RemoteFile &bundle,
                                          const oci::BlobCache &cache, OnBytes on_bytes,
                                          const oci::HttpSettings &http = {});

    virtual ~Download() = default;

    /// As far as the catalog says, and the cache has it not.
    virtual std::uint64_t bytes_to_fetch() const { return 0; }
    /// The next bytes; empty: the end, and they were what the catalog says. Valid until the next
    /// call. Throws Error: ImageCorrupt, NotFound, NotAuthorized, NetworkUnavailable.
    virtual std::span<const std::byte> read() = 0;
    /// Reads what is left: a tar ends before its file does. Throws as read().
    void finish();
};

} // namespace banger::bundle
