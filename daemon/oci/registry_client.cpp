#include "daemon/oci/registry_client.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace banger::oci {
namespace {

std::string accept_header() {
    std::string header = "Accept: ";
    for (const std::string &type : manifest_media_types()) {
        header += (header.ends_with(' ') ? "" : ", ") + type;
    }
    return header;
}

} // namespace

RegistryClient::RegistryClient(RegistryReference reference, const Settings &settings,
                               const BlobCache &cache, std::stop_token stop)
    : reference_(std::move(reference)), what_(to_string(reference_)), settings_(settings),
      cache_(cache), stop_(std::move(stop)), endpoints_(endpoints_for(reference_, settings)) {}

RegistryClient::Resolved RegistryClient::resolve() {
    Document document = fetch_manifest(reference_.tag_or_digest(), reference_.digest);
    auto parsed = parse_manifest(document.content, document.media_type, what_);
    if (const auto *index = std::get_if<ImageIndex>(&parsed)) {
        const Descriptor chosen = select_platform(*index, what_);
        document = fetch_manifest(chosen.digest.str(), chosen.digest);
        parsed = parse_manifest(document.content, chosen.media_type, what_);
    }
    if (auto *manifest = std::get_if<ImageManifest>(&parsed)) {
        return {document.digest, std::move(*manifest)};
    }
    fail(ErrorCode::Unsupported, "{} is an index of indexes; name one of its images by digest",
         what_);
}

void RegistryClient::fetch_blobs(const std::vector<Descriptor> &blobs,
                                 const BlobDownload::OnReady &on_ready,
                                 const BlobDownload::OnProgress &on_progress) {
    BlobDownload{endpoints_, cache_, settings_, what_, stop_}.run(blobs, on_ready, on_progress);
}

RegistryClient::Document RegistryClient::fetch_manifest(const std::string &tag_or_digest,
                                                        const std::optional<Digest> &digest) {
    if (const auto size = digest ? cache_.size_of(*digest) : std::nullopt) {
        return {*digest,
                cache_.open({*digest, *size, {}}, "the manifest of " + what_)
                    .read_all(max_manifest_bytes),
                {}};
    }
    for (;;) {
        try {
            Document document = fetch_from(endpoints_.front(), tag_or_digest, digest);
            cache_.put(document.digest, document.content);
            return document;
        } catch (const Error &error) {
            if (endpoints_.size() == 1 || error.code() == ErrorCode::Cancelled) {
                throw;
            }
            // What has no manifest has no blobs of this image either.
            log::warning(fmt::format("mirror {} is passed over: {}", endpoints_.front().registry(),
                                     error.what()));
            endpoints_.erase(endpoints_.begin());
        }
    }
}

RegistryClient::Document RegistryClient::fetch_from(Endpoint &endpoint,
                                                    const std::string &tag_or_digest,
                                                    const std::optional<Digest> &digest) {
    TransferSet set{stop_};
    const std::string &registry = endpoint.registry();
    const auto ask = [&] {
        HttpRequest request = endpoint.request("manifests/" + tag_or_digest);
        request.headers.push_back(accept_header());
        return perform(set, request, settings_.http, max_manifest_bytes,
                       fmt::format("ask registry {} for {}", registry, what_));
    };
    HttpResponse response = ask();
    if (response.status == 401) {
        endpoint.authenticate(set, response.www_authenticate);
        response = ask();
    }
    const std::string complaint = registry_complaint(response.body);
    switch (response.status) {
    case 200:
        break;
    case 401:
    case 403:
        endpoint.refused(complaint);
    case 404:
        fail(ErrorCode::NotFound, "registry {} has no image {}{}; check its name and tag", registry,
             what_, complaint);
    case 429:
        fail(
            ErrorCode::NetworkUnavailable,
            "registry {} limits downloads and refuses {} for now{}; log in with 'docker login {}', "
            "or try again later",
            registry, what_, complaint, registry);
    default:
        fail(ErrorCode::NetworkUnavailable,
             "registry {} does not give {} (HTTP status {}){}; try again later", registry, what_,
             response.status, complaint);
    }
    const Digest actual = Digest::of(response.body);
    const auto promised = digest ? digest : Digest::parse(response.docker_digest.value_or(""));
    if (promised && *promised != actual) {
        fail(ErrorCode::ImageCorrupt,
             "registry {} gave another manifest for {} than {}; something on the way changes it",
             registry, what_, promised->str());
    }
    return {actual, std::move(response.body), std::move(response.content_type)};
}

} // namespace banger::oci
