#include "daemon/oci/endpoint.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <new>

namespace banger::oci {
namespace {

using nlohmann::json;

constexpr std::size_t max_token_answer = 1U << 20U;

std::string escaped(const std::string &text) {
    const std::unique_ptr<char, void (*)(void *)> result{
        ::curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), ::curl_free};
    if (!result) {
        throw std::bad_alloc{};
    }
    return result.get();
}

bool is_loopback(std::string_view host) {
    if (!host.starts_with('[')) {
        host = host.substr(0, host.find(':'));
    }
    return host == "localhost" || host.starts_with("127.") || host.starts_with("[::1]");
}

Endpoint make_endpoint(const std::string &place, const RegistryReference &reference,
                       const Settings &settings) {
    const auto scheme = place.find("://");
    std::string host = scheme == std::string::npos ? place : place.substr(scheme + 3);
    while (host.ends_with('/')) {
        host.pop_back();
    }
    const std::string registry = host.substr(0, host.find('/'));
    std::string url = scheme == std::string::npos ? "" : place.substr(0, scheme + 3);
    if (url.empty()) {
        const bool plain = is_loopback(registry) || settings.insecure_registries.contains(registry);
        url = plain ? "http://" : "https://";
    }
    if (registry.empty() || (url != "http://" && url != "https://")) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is no registry's mirror; use host[:port] or https://host[:port]", place);
    }
    return {registry, url + (host == "docker.io" ? "registry-1.docker.io" : host), reference,
            settings};
}

// A line end in it would begin a header of the token server's choice.
bool is_header_value(const json &value) {
    if (!value.is_string()) {
        return false;
    }
    const auto &text = value.get_ref<const std::string &>();
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string parameter(const Challenge &challenge, std::string_view name) {
    const auto found = challenge.parameters.find(name);
    return found == challenge.parameters.end() ? std::string() : found->second;
}

} // namespace

Endpoint::Endpoint(std::string registry, std::string base_url, const RegistryReference &reference,
                   const Settings &settings)
    : registry_(std::move(registry)), base_url_(std::move(base_url)),
      repository_(reference.repository), reference_(to_string(reference)),
      credential_files_(settings.credential_files), http_(settings.http),
      plain_http_(base_url_.starts_with("http://")) {}

HttpRequest Endpoint::request(std::string_view path) const {
    HttpRequest request;
    request.url = fmt::format("{}/v2/{}/{}", base_url_, repository_, path);
    request.plain_http = plain_http_;
    if (!authorization_.empty()) {
        request.headers.push_back("Authorization: " + authorization_);
    }
    return request;
}

void Endpoint::authenticate(TransferSet &set, const std::string &header) {
    const std::vector<Challenge> challenges = parse_challenges(header);
    const auto of_scheme = [&](std::string_view scheme) {
        return std::find_if(challenges.begin(), challenges.end(),
                            [&](const Challenge &c) { return c.scheme == scheme; });
    };
    if (const auto bearer = of_scheme("bearer"); bearer != challenges.end()) {
        authorization_ = "Bearer " + fetch_token(set, *bearer);
        ++logins_;
        return;
    }
    if (of_scheme("basic") != challenges.end() && credentials() &&
        credentials()->identity_token.empty()) {
        authorization_ = basic_authorization(*credentials());
        ++logins_;
        return;
    }
    refused("");
}

void Endpoint::refused(const std::string &detail) const {
    fail(ErrorCode::NotAuthorized,
         "registry {} refuses {}{}{}: it is private or does not exist; check the name, or log in "
         "with 'docker login {}' or 'podman login {}'",
         registry_, reference_, credentials_ ? " with the stored login" : "", detail, registry_,
         registry_);
}

const std::optional<Credentials> &Endpoint::credentials() {
    if (!credentials_known_) {
        credentials_ = find_credentials(credential_files_, registry_, repository_);
        credentials_known_ = true;
    }
    return credentials_;
}

std::string Endpoint::fetch_token(TransferSet &set, const Challenge &challenge) {
    const std::string service = parameter(challenge, "service");
    std::string scope = parameter(challenge, "scope");
    if (scope.empty()) {
        scope = "repository:" + repository_ + ":pull";
    }
    HttpRequest request;
    request.url = parameter(challenge, "realm");
    request.plain_http = plain_http_;
    // Whoever could answer in plain text could also name the place to send a password to.
    if (!request.url.starts_with("https://") &&
        !(plain_http_ && request.url.starts_with("http://"))) {
        fail(ErrorCode::NotAuthorized,
             "registry {} does not name an https:// address where to get a token for {}", registry_,
             reference_);
    }
    std::string query = "scope=" + escaped(scope);
    if (!service.empty()) {
        query += "&service=" + escaped(service);
    }
    const auto &who = credentials();
    if (who && !who->identity_token.empty()) {
        request.form = query + "&grant_type=refresh_token&client_id=banger&refresh_token=" +
                       escaped(who->identity_token);
    } else {
        request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + query;
        if (who) {
            request.headers.push_back("Authorization: " + basic_authorization(*who));
        }
    }
    const HttpResponse response =
        perform(set, request, http_, max_token_answer,
                fmt::format("get a token of registry {} for {}", registry_, reference_));
    if (response.status == 401 || response.status == 403) {
        refused(registry_complaint(response.body));
    }
    const json answer = json::parse(response.body, nullptr, false);
    if (response.status == 200 && answer.is_object()) {
        for (const char *name : {"token", "access_token"}) {
            const auto found = answer.find(name);
            if (found != answer.end() && is_header_value(*found)) {
                return found->get<std::string>();
            }
        }
    }
    fail(ErrorCode::NetworkUnavailable,
         "registry {} gives no token for {} (HTTP status {}){}; try again later", registry_,
         reference_, response.status, registry_complaint(response.body));
}

std::vector<Endpoint> endpoints_for(const RegistryReference &reference, const Settings &settings) {
    std::vector<Endpoint> endpoints;
    if (const auto mirrors = settings.mirrors.find(reference.registry);
        mirrors != settings.mirrors.end()) {
        for (const std::string &mirror : mirrors->second) {
            endpoints.push_back(make_endpoint(mirror, reference, settings));
        }
    }
    endpoints.push_back(make_endpoint(reference.registry, reference, settings));
    return endpoints;
}

std::string registry_complaint(std::string_view body) {
    const json document = json::parse(body, nullptr, false);
    if (!document.is_object() || !document.contains("errors") || !document["errors"].is_array() ||
        document["errors"].empty()) {
        return {};
    }
    const json &first = document["errors"].front();
    std::string text;
    for (const char *name : {"code", "message"}) {
        if (first.is_object() && first.contains(name) && first[name].is_string()) {
            text += (text.empty() ? "" : ": ") + first[name].get<std::string>();
        }
    }
    text.resize(std::min<std::size_t>(text.size(), 200));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text.empty() ? text : " (" + text + ")";
}

} // namespace banger::oci
