#pragma once

#include "base/ipv4.hpp"
#include "daemon/helper/network_config.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::helper {

/// A user's share of the host's network. Once given, it stays: names, known hosts and routes depend
/// on it.
struct Subnet {
    uid_t owner = 0;
    std::uint32_t number = 0; ///< N of "bngrN"; unique on this host
    Ipv4Prefix prefix;        ///< a /24
    std::string label;        ///< the user as a DNS label; unique on this host
    bool first = false;       ///< came first: owns "vm" unless the administrator says otherwise

    Ipv4 gateway() const { return Ipv4::from_number(prefix.address.number() + 1); }
    /// "0.16.172.in-addr.arpa"
    std::string reverse_zone() const;
};

/// The name as a DNS label: lower case, other characters replaced by '-'. Empty if nothing is left.
std::string dns_label_of(std::string_view user_name);

/// uid → subnet, in a file that is replaced atomically. A damaged file is an Error{StateCorrupt} on
/// each use, and left alone: to give a user another subnet silently would be worse.
class SubnetPool {
public:
    explicit SubnetPool(std::filesystem::path file) : file_(std::move(file)) {}

    /// Throws Error{StateCorrupt}.
    std::optional<Subnet> find(uid_t owner) const;
    /// find(), or the first free /24 of the pool that overlaps nothing in `taken`. Throws
    /// Error{StateCorrupt}; Error{LimitsExceeded} when the pool is used up.
    Subnet allocate(uid_t owner, std::string_view user_name, const Ipv4Prefix &pool,
                    const std::vector<Ipv4Prefix> &taken);

private:
    std::vector<Subnet> load() const;

    std::filesystem::path file_;
};

/// "vm", or "<label>.vm". `owner_name` is the user's name.
std::string domain_of(const Subnet &subnet, std::string_view owner_name,
                      const NetworkConfig &config);

} // namespace banger::helper
