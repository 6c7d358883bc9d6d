#include "daemon/oci/auth.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/paths.hpp"
#include "base/process.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace banger::oci {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view docker_hub = "docker.io";
// Docker Hub's credentials are under its address of 2013.
constexpr std::string_view docker_hub_key = "https://index.docker.io/v1/";
constexpr std::size_t max_helper_answer = 1U << 20U;

std::string encoded(std::string_view text) {
    std::string result(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int n = ::EVP_EncodeBlock(reinterpret_cast<unsigned char *>(result.data()),
                                    reinterpret_cast<const unsigned char *>(text.data()),
                                    static_cast<int>(text.size()));
    result.resize(static_cast<std::size_t>(n));
    return result;
}

std::optional<std::string> decoded(std::string_view text) {
    std::string result(text.size() / 4 * 3 + 1, '\0');
    const int n = ::EVP_DecodeBlock(reinterpret_cast<unsigned char *>(result.data()),
                                    reinterpret_cast<const unsigned char *>(text.data()),
                                    static_cast<int>(text.size()));
    if (n < 0) {
        return std::nullopt;
    }
    // It counts the padding as zeros.
    const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
    result.resize(static_cast<std::size_t>(n) - std::min<std::size_t>(padding, 2));
    return result;
}

// "https://ghcr.io/v1/" and "ghcr.io" are the same key.
std::string_view host_of(std::string_view key) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) {
            key.remove_prefix(scheme.size());
        }
    }
    return key.substr(0, key.find('/'));
}

const json *member(const json &object, std::string_view key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const json &object, std::string_view key) {
    const json *value = member(object, key);
    return value == nullptr ? std::string() : value->get<std::string>();
}

std::optional<Credentials> parse_entry(const json &entry) {
    if (!entry.is_object()) {
        fail(ErrorCode::StateCorrupt, "an entry of \"auths\" is not a JSON object");
    }
    Credentials credentials;
    credentials.identity_token = text_of(entry, "identitytoken");
    if (const std::string auth = text_of(entry, "auth"); !auth.empty()) {
        const auto pair = decoded(auth);
        const auto colon = pair ? pair->find(':') : std::string::npos;
        if (colon == std::string::npos) {
            fail(ErrorCode::StateCorrupt, "an \"auth\" is not base64 of USER:PASSWORD");
        }
        credentials.username = pair->substr(0, colon);
        credentials.password = pair->substr(colon + 1);
    }
    // After `docker logout`, or with a helper, an entry is left empty.
    if (credentials.username.empty() && credentials.identity_token.empty()) {
        return std::nullopt;
    }
    return credentials;
}

// The longest key wins: "ghcr.io/org/img", "ghcr.io/org", then "ghcr.io".
std::optional<Credentials> from_auths(const json &auths, std::string_view registry,
                                      std::string_view repository) {
    std::string scope = std::string(registry) + "/" + std::string(repository);
    for (auto slash = scope.size(); slash != std::string::npos; slash = scope.rfind('/')) {
        scope.resize(slash);
        if (const json *entry = member(auths, scope)) {
            if (auto credentials = parse_entry(*entry)) {
                return credentials;
            }
        }
    }
    for (const auto &[key, entry] : auths.items()) {
        const std::string_view host = host_of(key);
        const bool is_path = host.size() != key.size() && key.find("://") == std::string::npos;
        if (!is_path &&
            (host == registry || (registry == docker_hub && host_of(docker_hub_key) == host))) {
            if (auto credentials = parse_entry(entry)) {
                return credentials;
            }
        }
    }
    return std::nullopt;
}

struct HelperAnswer {
    int status;
    std::string output;
};

HelperAnswer run_helper(const std::string &program, std::string_view server) {
    FdPair input = make_pipe();
    FdPair output = make_pipe();
    const UniqueFd null = open_file("/dev/null", O_WRONLY);
    write_all(input.second.get(), server, program);
    input.second.reset();
    Command command;
    command.argv = {program, "get"};
    command.standard_input = input.first.get();
    command.standard_output = output.second.get();
    command.standard_error = null.get();
    ChildProcess child = spawn(command);
    output.second.reset();
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = ::read(output.first.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            throw_errno("read from " + program);
        }
        if (n == 0) {
            break;
        }
        text.append(buffer.data(), static_cast<std::size_t>(n));
        if (text.size() > max_helper_answer) {
            fail(ErrorCode::NotAuthorized, "{} wrote more than {} bytes", program,
                 max_helper_answer);
        }
    }
    return {child.wait(), std::move(text)};
}

// The protocol of github.com/docker/docker-credential-helpers.
std::optional<Credentials> from_helper(const std::string &name, std::string_view registry) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
    if (!plain) {
        fail(ErrorCode::StateCorrupt, "the name of a credential helper is not plain");
    }
    const std::string program = "docker-credential-" + name;
    const HelperAnswer answer =
        run_helper(program, registry == docker_hub ? docker_hub_key : registry);
    if (answer.status != 0) {
        if (answer.output.find("credentials not found") != std::string::npos) {
            return std::nullopt;
        }
        fail(ErrorCode::NotAuthorized, "'{} get' for {} {}; try it by hand", program, registry,
             describe_exit(answer.status));
    }
    const json reply = json::parse(answer.output, nullptr, false);
    const json *user = reply.is_object() ? member(reply, "Username") : nullptr;
    const json *secret = reply.is_object() ? member(reply, "Secret") : nullptr;
    if (user == nullptr || !user->is_string() || secret == nullptr || !secret->is_string()) {
        fail(ErrorCode::NotAuthorized, "'{} get' for {} gave no user name and secret", program,
             registry);
    }
    if (*user == "<token>") {
        return Credentials{{}, {}, secret->get<std::string>()};
    }
    return Credentials{user->get<std::string>(), secret->get<std::string>(), {}};
}

std::optional<Credentials> from_store(const std::string &name, std::string_view registry) {
    try {
        return from_helper(name, registry);
    } catch (const Error &error) {
        if (error.code() != ErrorCode::NotFound) {
            throw;
        }
        // Left in the file by a desktop program that is gone; most images need no login.
        log::warning(fmt::format("{}; going on without it", error.what()));
        return std::nullopt;
    }
}

std::optional<Credentials> from_file(const json &config, std::string_view registry,
                                     std::string_view repository) {
    if (const json *helpers = member(config, "credHelpers")) {
        std::string helper = text_of(*helpers, registry);
        if (helper.empty() && registry == docker_hub) {
            helper = text_of(*helpers, docker_hub_key);
        }
        if (!helper.empty()) {
            return from_helper(helper, registry);
        }
    }
    if (const std::string store = text_of(config, "credsStore"); !store.empty()) {
        if (auto credentials = from_store(store, registry)) {
            return credentials;
        }
    }
    const json *auths = member(config, "auths");
    return auths == nullptr ? std::nullopt : from_auths(*auths, registry, repository);
}

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

class ChallengeScanner {
public:
    explicit ChallengeScanner(std::string_view text) : text_(text) {}

    bool at_end() const { return text_.empty(); }
    bool skip(char c) {
        skip_blanks();
        if (text_.empty() || text_.front() != c) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    void skip_separators() {
        while (skip(',')) {
        }
    }
    std::string_view token() {
        skip_blanks();
        const auto end = std::find_if_not(text_.begin(), text_.end(), is_token_character);
        const auto result = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
        text_.remove_prefix(result.size());
        return result;
    }
    std::string value() {
        if (!skip('"')) {
            return std::string(token());
        }
        std::string result;
        while (!text_.empty() && text_.front() != '"') {
            if (text_.front() == '\\' && text_.size() > 1) {
                text_.remove_prefix(1);
            }
            result += text_.front();
            text_.remove_prefix(1);
        }
        skip('"');
        return result;
    }

private:
    void skip_blanks() {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) {
            text_.remove_prefix(1);
        }
    }

    std::string_view text_;
};

} // namespace

std::vector<fs::path> credential_files() {
    std::vector<fs::path> files;
    const char *docker = std::getenv("DOCKER_CONFIG");
    files.push_back(
        (docker != nullptr && *docker != '\0' ? fs::path{docker} : home_directory() / ".docker") /
        "config.json");
    if (const char *runtime = std::getenv("XDG_RUNTIME_DIR");
        runtime != nullptr && *runtime == '/') {
        files.push_back(fs::path{runtime} / "containers" / "auth.json");
    }
    return files;
}

std::optional<Credentials> find_credentials(const std::vector<fs::path> &files,
                                            std::string_view registry,
                                            std::string_view repository) {
    for (const fs::path &file : files) {
        if (!fs::exists(file)) {
            continue;
        }
        try {
            if (auto credentials = from_file(json::parse(read_file(file)), registry, repository)) {
                return credentials;
            }
        } catch (const json::exception &) {
            // Its message may quote what stands there.
            fail(ErrorCode::StateCorrupt,
                 "{} is not a file of credentials in JSON; repair it or log in again",
                 file.string());
        } catch (const Error &error) {
            throw error.with_context(file.string());
        }
    }
    return std::nullopt;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
    std::vector<Challenge> challenges;
    ChallengeScanner scanner{header};
    for (scanner.skip_separators(); !scanner.at_end(); scanner.skip_separators()) {
        const std::string_view name = scanner.token();
        if (name.empty()) {
            break;
        }
        if (scanner.skip('=')) {
            std::string value = scanner.value();
            if (!challenges.empty()) {
                challenges.back().parameters[lower(name)] = std::move(value);
            }
        } else {
            challenges.push_back({lower(name), {}});
        }
    }
    return challenges;
}

std::string basic_authorization(const Credentials &credentials) {
    return "Basic " + encoded(credentials.username + ":" + credentials.password);
}

} // namespace banger::oci
