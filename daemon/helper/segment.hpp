#pragma once

#include "base/ipv4.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::helper {

/// What the alias of a link of banger's says (IFLA_IFALIAS). Only a process with CAP_NET_ADMIN can
/// set one, so it tells whose the link is, and the helper needs no record of links.
struct LinkLabel {
    uid_t owner = 0;
    Ipv4 address; ///< of the bridge: the gateway; of a tap: its guest's
    bool allow_host = false;
    bool nat = false;

    /// "banger:1000:172.16.0.2:host:nat"
    std::string str() const;
    /// The inverse of str(); none for any other text.
    static std::optional<LinkLabel> parse(std::string_view text);

    bool operator==(const LinkLabel &) const = default;
};

/// A guest's tap and what its rules depend on.
struct Guest {
    std::string tap;
    Ipv4 address;
    bool allow_host = false;
    bool nat = false;

    bool operator==(const Guest &) const = default;
};

/// One user's bridge and the taps on it.
struct Segment {
    std::uint32_t number = 0; ///< N of "bngrN"
    uid_t owner = 0;
    Ipv4 gateway;
    int bridge = 0; ///< interface index
    std::vector<Guest> guests;

    Ipv4Prefix subnet() const { return Ipv4Prefix::of(gateway, 24); }
    bool any_nat() const;
};

} // namespace banger::helper
