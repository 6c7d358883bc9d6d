#pragma once

#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/blob_download.hpp"
#include "daemon/oci/endpoint.hpp"
#include "daemon/oci/manifest.hpp"
#include "daemon/oci/reference.hpp"
#include "daemon/oci/settings.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace banger::oci {

/// One image of a registry, through the pull half of the OCI distribution-spec. Blocks; one thread
/// at a time.
class RegistryClient {
public:
    /// `settings` and `cache` must outlive it. A stop request ends what runs with Error{Cancelled}.
    RegistryClient(RegistryReference reference, const Settings &settings, const BlobCache &cache,
                   std::stop_token stop);

    struct Resolved {
        Digest digest; ///< of the image manifest, not of an index
        ImageManifest manifest;
    };
    /// The manifest for linux/amd64. What has a digest comes from the cache if it is there. Throws
    /// Error: NotFound, NotAuthorized, NetworkUnavailable, and as parse_manifest().
    Resolved resolve();

    /// As BlobDownload::run().
    void fetch_blobs(const std::vector<Descriptor> &blobs, const BlobDownload::OnReady &on_ready,
                     const BlobDownload::OnProgress &on_progress);

private:
    struct Document {
        Digest digest;
        std::string content;
        std::string media_type;
    };
    Document fetch_manifest(const std::string &tag_or_digest, const std::optional<Digest> &digest);
    Document fetch_from(Endpoint &endpoint, const std::string &tag_or_digest,
                        const std::optional<Digest> &digest);

    RegistryReference reference_;
    std::string what_;
    const Settings &settings_;
    const BlobCache &cache_;
    std::stop_token stop_;
    std::vector<Endpoint> endpoints_;
};

} // namespace banger::oci
