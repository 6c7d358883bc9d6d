#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who we are to a registry: what `docker login` and `podman login` stored, and what a server asks
/// for. No secret gets into a message.
namespace banger::oci {

struct Credentials {
    std::string username;
    std::string password;
    /// Instead of both: an OAuth2 refresh token.
    std::string identity_token;
};

/// $DOCKER_CONFIG/config.json or ~/.docker/config.json, and $XDG_RUNTIME_DIR/containers/auth.json
/// of podman; whether they exist or not.
std::vector<std::filesystem::path> credential_files();

/// From the first file that has them: by its "credHelpers" and "credsStore" (docker-credential-NAME
/// is run and waited for), else its "auths" (docker-login(1), containers-auth.json(5)). `registry`
/// as in RegistryReference; `repository` for entries of a part of a registry. None: anonymous.
/// Throws Error: StateCorrupt for a file that cannot be understood, NotAuthorized for a helper that
/// fails.
std::optional<Credentials> find_credentials(const std::vector<std::filesystem::path> &files,
                                            std::string_view registry, std::string_view repository);

/// One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1).
struct Challenge {
    std::string scheme;                                         ///< lower case: "bearer", "basic"
    std::map<std::string, std::string, std::less<>> parameters; ///< keys in lower case
};

/// What cannot be understood is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

/// The value of an Authorization header (RFC 7617).
std::string basic_authorization(const Credentials &credentials);

} // namespace banger::oci
