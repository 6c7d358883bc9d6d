#include "daemon/helper/subnet_pool.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace banger::helper {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr std::size_t longest_label = 63;
constexpr unsigned subnet_length = 24;

template <typename Predicate>
bool any(const std::vector<Subnet> &subnets, Predicate predicate) {
    return std::any_of(subnets.begin(), subnets.end(), predicate);
}

Subnet subnet_from(const json &entry) {
    Subnet subnet;
    subnet.owner = entry.at("uid").get<uid_t>();
    subnet.number = entry.at("number").get<std::uint32_t>();
    subnet.prefix = Ipv4Prefix::parse(entry.at("subnet").get<std::string>());
    subnet.label = entry.at("label").get<std::string>();
    subnet.first = entry.at("first").get<bool>();
    if (subnet.prefix.length != subnet_length || subnet.label.size() > longest_label ||
        subnet.label.empty() || dns_label_of(subnet.label) != subnet.label) {
        fail(ErrorCode::StateCorrupt, "an entry is not valid: {}", entry.dump());
    }
    return subnet;
}

json to_json(const std::vector<Subnet> &subnets) {
    json entries = json::array();
    for (const Subnet &subnet : subnets) {
        entries.push_back({{"uid", subnet.owner},
                           {"number", subnet.number},
                           {"subnet", subnet.prefix.str()},
                           {"label", subnet.label},
                           {"first", subnet.first}});
    }
    return {{"version", format_version}, {"subnets", entries}};
}

void check_unique(const std::vector<Subnet> &subnets) {
    std::set<uid_t> owners;
    std::set<std::uint32_t> numbers;
    std::set<Ipv4Prefix> prefixes;
    std::set<std::string> labels;
    for (const Subnet &subnet : subnets) {
        if (!owners.insert(subnet.owner).second || !numbers.insert(subnet.number).second ||
            !prefixes.insert(subnet.prefix).second || !labels.insert(subnet.label).second) {
            fail(ErrorCode::StateCorrupt, "two entries share a value, one is of uid {}",
                 subnet.owner);
        }
    }
}

std::string unique_label(const std::vector<Subnet> &subnets, uid_t owner,
                         std::string_view user_name) {
    const auto taken = [&](const std::string &label) {
        return any(subnets, [&](const Subnet &other) { return other.label == label; });
    };
    std::string label = dns_label_of(user_name);
    const std::string suffix = fmt::format("{}", owner);
    if (label.empty()) {
        label = "u" + suffix;
    }
    if (taken(label)) {
        label = label.substr(0, longest_label - suffix.size() - 1) + "-" + suffix;
    }
    // A user may be called like what another one got: then the uid in a form that no name has.
    return taken(label) ? fmt::format("u--{}", suffix) : label;
}

} // namespace

std::string Subnet::reverse_zone() const {
    const auto &octets = prefix.address.octets;
    return fmt::format("{}.{}.{}.in-addr.arpa", octets[2], octets[1], octets[0]);
}

std::string dns_label_of(std::string_view user_name) {
    std::string label;
    for (const char c : user_name.substr(0, longest_label)) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        label += upper ? static_cast<char>(c - 'A' + 'a') : kept ? c : '-';
    }
    const auto begin = label.find_first_not_of('-');
    if (begin == std::string::npos) {
        return "";
    }
    return label.substr(begin, label.find_last_not_of('-') - begin + 1);
}

std::vector<Subnet> SubnetPool::load() const {
    std::string text;
    try {
        text = read_file(file_);
    } catch (const Error &e) {
        if (e.code() == ErrorCode::NotFound) {
            return {};
        }
        throw;
    }
    try {
        const json document = json::parse(text);
        if (document.at("version") != format_version) {
            fail(ErrorCode::StateCorrupt, "it has another version, {}",
                 document.at("version").dump());
        }
        std::vector<Subnet> subnets;
        for (const json &entry : document.at("subnets")) {
            subnets.push_back(subnet_from(entry));
        }
        check_unique(subnets);
        return subnets;
    } catch (const std::exception &e) {
        fail(ErrorCode::StateCorrupt,
             "{} does not tell which subnet is whose ({}); it is left as it is. Mend it, or move "
             "it away to give out all subnets anew",
             file_.string(), e.what());
    }
}

std::optional<Subnet> SubnetPool::find(uid_t owner) const {
    for (Subnet &subnet : load()) {
        if (subnet.owner == owner) {
            return std::move(subnet);
        }
    }
    return std::nullopt;
}

Subnet SubnetPool::allocate(uid_t owner, std::string_view user_name, const Ipv4Prefix &pool,
                            const std::vector<Ipv4Prefix> &taken) {
    std::vector<Subnet> subnets = load();
    for (const Subnet &subnet : subnets) {
        if (subnet.owner == owner) {
            return subnet;
        }
    }
    const std::uint32_t count = 1U << (subnet_length - pool.length);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Ipv4Prefix prefix{Ipv4::from_number(pool.address.number() + (i << 8U)),
                                subnet_length};
        const auto overlaps = [&](const Ipv4Prefix &other) { return other.overlaps(prefix); };
        if (std::any_of(taken.begin(), taken.end(), overlaps) ||
            any(subnets, [&](const Subnet &other) { return overlaps(other.prefix); })) {
            continue;
        }
        std::uint32_t number = i;
        const auto used = [&](const Subnet &other) { return other.number == number; };
        // A pool that was changed: the number may belong to a subnet of the former one.
        for (number = any(subnets, used) ? 0 : i; any(subnets, used); ++number) {
        }
        subnets.push_back(
            {owner, number, prefix, unique_label(subnets, owner, user_name), subnets.empty()});
        write_file_atomically(file_, to_json(subnets).dump(1) + "\n");
        return subnets.back();
    }
    fail(ErrorCode::LimitsExceeded,
         "there is no free /24 in {}: each is another user's, or overlaps a route of this host; an "
         "administrator can name another pool in /etc/banger/network.toml",
         pool.str());
}

std::string domain_of(const Subnet &subnet, std::string_view owner_name,
                      const NetworkConfig &config) {
    const bool owns_vm =
        config.vm_domain_owner.empty() ? subnet.first : owner_name == config.vm_domain_owner;
    return owns_vm ? "vm" : subnet.label + ".vm";
}

} // namespace banger::helper
