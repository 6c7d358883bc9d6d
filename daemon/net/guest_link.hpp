#pragma once

#include "base/ipv4.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The names on the host's network, which follow from the number of the user's subnet and the
/// guest's address.
namespace banger::net {

/// "bngr0" for subnet number 0.
std::string bridge_name(std::uint32_t subnet);

/// "bngr0-2" for the address 172.16.0.2 in subnet number 0; at most 15 characters (IFNAMSIZ).
std::string tap_name(std::uint32_t subnet, const Ipv4 &address);

/// 06:00, then the four octets of the address: locally administered, unicast.
std::string mac_of(const Ipv4 &address);

struct TapName {
    std::uint32_t subnet = 0;
    std::uint8_t host = 0; ///< last octet of the guest's address, 2 to 254
};

/// The inverse of tap_name(); none for any other text.
std::optional<TapName> parse_tap_name(std::string_view name) noexcept;

/// The inverse of bridge_name(); none for any other text.
std::optional<std::uint32_t> parse_bridge_name(std::string_view name) noexcept;

} // namespace banger::net
