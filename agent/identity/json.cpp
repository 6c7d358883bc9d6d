#include "agent/identity/identity.hpp"
#include "base/error.hpp"
#include "base/ipv4.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace banger::identity {
namespace {

using Json = nlohmann::json;

constexpr std::size_t line_limit = 16384;
constexpr std::size_t file_limit = 65536;
constexpr std::size_t list_limit = 256;

[[noreturn]] void wrong(std::string_view field, std::string_view why) {
    fail(ErrorCode::InvalidArgument, "the identity's '{}' {}", field, why);
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_hex(char c) {
    return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9');
}

std::string text(const Json &json, const char *field) {
    const auto found = json.find(field);
    if (found == json.end()) {
        return {};
    }
    if (!found->is_string()) {
        wrong(field, "is no string");
    }
    return found->get<std::string>();
}

template <typename T>
T number(const Json &json, const char *field, T fallback) {
    const auto found = json.find(field);
    if (found == json.end()) {
        return fallback;
    }
    if (std::is_unsigned_v<T> ? !found->is_number_unsigned() : !found->is_number_integer()) {
        wrong(field, "is no such number");
    }
    return found->get<T>();
}

void check_label(std::string_view field, std::string_view label) {
    constexpr std::size_t limit = 63;
    const bool right = !label.empty() && label.size() <= limit && label.front() != '-' &&
                       label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                           return is_alphanumeric(c) || c == '-';
                       });
    if (!right) {
        wrong(field, "is no host name");
    }
}

void check_domain(std::string_view domain) {
    constexpr std::size_t limit = 190;
    if (domain.size() > limit) {
        wrong("domain", "is too long");
    }
    while (!domain.empty()) {
        const std::size_t dot = domain.find('.');
        check_label("domain", domain.substr(0, dot));
        domain = dot == std::string_view::npos ? "" : domain.substr(dot + 1);
    }
}

void check_mac(std::string_view mac) {
    constexpr std::size_t length = 17;
    bool right = mac.size() == length;
    for (std::size_t i = 0; right && i < length; ++i) {
        right = i % 3 == 2 ? mac[i] == ':' : is_hex(mac[i]);
    }
    if (!right) {
        wrong("mac", "is no address like 06:00:ac:10:00:02");
    }
}

void check_address(const char *field, const std::string &address) {
    try {
        Ipv4::parse(address);
    } catch (const Error &) {
        wrong(field, "is no IPv4 address");
    }
}

/// One printable line.
void check_line(const char *field, std::string_view line) {
    if (line.size() > line_limit) {
        wrong(field, "has a line that is too long");
    }
    if (std::any_of(line.begin(), line.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; })) {
        wrong(field, "has a control character in a line");
    }
}

void check_host_key(std::string_view name, const std::string &content) {
    constexpr std::size_t name_limit = 64;
    const bool right = name.starts_with("ssh_host_") && name.size() <= name_limit &&
                       name.find("..") == std::string_view::npos &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return is_alphanumeric(c) || c == '_' || c == '.';
                       });
    if (!right) {
        wrong("ssh_host_keys", "has a file that is not called ssh_host_…");
    }
    if (content.size() > file_limit || content.find('\0') != std::string::npos) {
        wrong("ssh_host_keys", "has a key that is too long or binary");
    }
}

void check(const Identity &identity) {
    constexpr std::size_t machine_id_length = 32;
    constexpr std::uint32_t longest_prefix = 32;
    check_label("hostname", identity.hostname);
    check_domain(identity.domain);
    if (!identity.machine_id.empty() &&
        (identity.machine_id.size() != machine_id_length ||
         !std::all_of(identity.machine_id.begin(), identity.machine_id.end(), is_hex))) {
        wrong("machine_id", "is not 32 hexadecimal digits");
    }
    if (!identity.address.empty()) {
        check_address("address", identity.address);
        check_mac(identity.mac);
    }
    if (!identity.gateway.empty()) {
        check_address("gateway", identity.gateway);
    }
    if (!identity.resolver.empty()) {
        check_address("resolver", identity.resolver);
    }
    if (identity.prefix_length > longest_prefix) {
        wrong("prefix_length", "is above 32");
    }
    if (identity.authorized_keys.size() > list_limit ||
        identity.ssh_host_keys.size() > list_limit) {
        wrong("authorized_keys", "and ssh_host_keys have too many entries");
    }
    for (const std::string &key : identity.authorized_keys) {
        check_line("authorized_keys", key);
    }
    for (const auto &[name, content] : identity.ssh_host_keys) {
        check_host_key(name, content);
    }
    if (identity.git_config.size() > file_limit ||
        identity.git_config.find('\0') != std::string::npos) {
        wrong("git_config", "is too long or binary");
    }
}

} // namespace

std::string to_json(const Identity &identity) {
    const Json json{{"hostname", identity.hostname},
                    {"domain", identity.domain},
                    {"machine_id", identity.machine_id},
                    {"address", identity.address},
                    {"prefix_length", identity.prefix_length},
                    {"gateway", identity.gateway},
                    {"resolver", identity.resolver},
                    {"mac", identity.mac},
                    {"authorized_keys", identity.authorized_keys},
                    {"ssh_host_keys", identity.ssh_host_keys},
                    {"git_config", identity.git_config},
                    {"boot_generation", identity.boot_generation},
                    {"realtime_usec", identity.realtime_usec}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Identity identity_from_json(std::string_view input) {
    const Json json = Json::parse(input, nullptr, false);
    if (!json.is_object()) {
        fail(ErrorCode::InvalidArgument, "the identity is no JSON object");
    }
    Identity identity;
    identity.hostname = text(json, "hostname");
    identity.domain = text(json, "domain");
    identity.machine_id = text(json, "machine_id");
    identity.address = text(json, "address");
    identity.prefix_length = number(json, "prefix_length", identity.prefix_length);
    identity.gateway = text(json, "gateway");
    identity.resolver = text(json, "resolver");
    identity.mac = text(json, "mac");
    identity.git_config = text(json, "git_config");
    identity.boot_generation = number(json, "boot_generation", identity.boot_generation);
    identity.realtime_usec = number(json, "realtime_usec", identity.realtime_usec);
    if (const auto keys = json.find("authorized_keys"); keys != json.end()) {
        if (!keys->is_array()) {
            wrong("authorized_keys", "is no list");
        }
        for (const Json &key : *keys) {
            if (!key.is_string()) {
                wrong("authorized_keys", "has an entry that is no string");
            }
            identity.authorized_keys.push_back(key.get<std::string>());
        }
    }
    if (const auto keys = json.find("ssh_host_keys"); keys != json.end()) {
        if (!keys->is_object()) {
            wrong("ssh_host_keys", "is no object");
        }
        for (const auto &[name, content] : keys->items()) {
            if (!content.is_string()) {
                wrong("ssh_host_keys", "has a content that is no string");
            }
            identity.ssh_host_keys.emplace(name, content.get<std::string>());
        }
    }
    check(identity);
    return identity;
}

} // namespace banger::identity
