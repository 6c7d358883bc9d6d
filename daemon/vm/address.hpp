#pragma once

#include "daemon/net/network_helper.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace banger::vm {

constexpr std::uint8_t first_host_number = 2; ///< 1 is the bridge
constexpr std::uint8_t last_host_number = 254;

/// The address of a guest: the gateway's network with another last octet.
Ipv4 guest_address(const net::Network &network, std::uint8_t host_number);

/// The tap of that guest; empty when the network has no bridge name.
std::string guest_tap(const net::Network &network, std::uint8_t host_number);

/// The lowest number that is not taken. Throws Error{LimitsExceeded} when all are.
std::uint8_t free_host_number(std::span<const std::uint8_t> taken);

} // namespace banger::vm
