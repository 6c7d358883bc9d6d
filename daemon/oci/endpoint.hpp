#pragma once

#include "daemon/oci/auth.hpp"
#include "daemon/oci/http.hpp"
#include "daemon/oci/reference.hpp"
#include "daemon/oci/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::oci {

/// One server that may have a repository, a mirror or the registry itself, and how we are known
/// there (distribution-spec; distribution's "Token Authentication Specification").
class Endpoint {
public:
    /// `registry` is as in a reference; `base_url` has no '/' at its end.
    Endpoint(std::string registry, std::string base_url, const RegistryReference &reference,
             const Settings &settings);

    /// host[:port], for messages.
    const std::string &registry() const noexcept { return registry_; }
    /// For `path` below /v2/REPOSITORY/: "manifests/TAG", "blobs/DIGEST".
    HttpRequest request(std::string_view path) const;
    /// Answers a WWW-Authenticate header, so that the next request() carries what it asks for.
    /// Throws Error: NotAuthorized when there is nothing to answer with, NetworkUnavailable.
    void authenticate(TransferSet &set, const std::string &challenge);
    /// How often that was done: a refused request from before it may just be repeated.
    unsigned logins() const noexcept { return logins_; }
    /// NotAuthorized, which says where to log in.
    [[noreturn]] void refused(const std::string &detail) const;

private:
    const std::optional<Credentials> &credentials();
    std::string fetch_token(TransferSet &set, const Challenge &challenge);

    std::string registry_;
    std::string base_url_;
    std::string repository_;
    std::string reference_;
    std::vector<std::filesystem::path> credential_files_;
    HttpSettings http_;
    bool plain_http_;
    bool credentials_known_ = false;
    std::optional<Credentials> credentials_;
    std::string authorization_;
    unsigned logins_ = 0;
};

/// The mirrors of the reference's registry in their order, then the registry itself.
std::vector<Endpoint> endpoints_for(const RegistryReference &reference, const Settings &settings);

/// " (CODE: message)" of a registry's error answer, short and printable; empty if there is none.
std::string registry_complaint(std::string_view body);

} // namespace banger::oci
