#include "daemon/image/worker/catalog_fetch.hpp"

#include "base/files.hpp"
#include "daemon/catalog/parse.hpp"
#include "daemon/oci/http.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_validators = 16384;

/// What a server said of the copy that we have, to ask for newer ones only (RFC 9110, 13.1).
struct Validators {
    std::string etag;
    std::string last_modified;
};

Validators read_validators(const fs::path &file) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return {};
    }
    const json kept = json::parse(read_file(file, max_validators), nullptr, false);
    // Ours, but in a cache: a damaged one only costs a download.
    return kept.is_object() ? Validators{kept.value("etag", ""), kept.value("last_modified", "")}
                            : Validators{};
}

bool is_header_value(const std::string &text) {
    return !text.empty() && text.size() < max_validators / 4 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

oci::HttpRequest request_for(const std::string &url, const Validators &validators) {
    oci::HttpRequest request;
    request.url = url;
    request.plain_http = url.starts_with("http://");
    if (is_header_value(validators.etag)) {
        request.headers.push_back("If-None-Match: " + validators.etag);
    } else if (is_header_value(validators.last_modified)) {
        request.headers.push_back("If-Modified-Since: " + validators.last_modified);
    }
    return request;
}

} // namespace

void fetch_catalog(const CatalogFetch &fetch, Report &report) {
    const fs::path validators_file = fetch.output.string() + ".http";
    std::error_code ignored;
    const Validators kept =
        fs::exists(fetch.output, ignored) ? read_validators(validators_file) : Validators{};
    oci::TransferSet set{{}};
    oci::HttpSettings settings;
    // Somebody waits, and the old copy is of use.
    settings.max_retries = 1;
    const auto response = oci::perform(set, request_for(fetch.url, kept), settings,
                                       catalog::max_file_bytes, "fetch the catalog " + fetch.url);
    if (response.status == 304) {
        report.result({{"changed", false}});
        return;
    }
    if (response.status != 200) {
        fail(response.status == 404 ? ErrorCode::NotFound : ErrorCode::NetworkUnavailable,
             "cannot fetch the catalog {}: the server answers with HTTP status {}", fetch.url,
             response.status);
    }
    catalog::parse(response.body, fetch.url);
    make_private_directories(fetch.output.parent_path());
    // First gone: validators of another copy would keep a newer one away.
    fs::remove(validators_file);
    write_file_atomically(fetch.output, response.body);
    const json validators{
        {"etag", is_header_value(response.etag) ? response.etag : ""},
        {"last_modified", is_header_value(response.last_modified) ? response.last_modified : ""}};
    write_file_atomically(validators_file, validators.dump());
    report.result({{"changed", true}});
}

} // namespace banger::image
