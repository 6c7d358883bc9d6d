#include "daemon/vm/address.hpp"

#include "daemon/net/guest_link.hpp"

#include <algorithm>

namespace banger::vm {

Ipv4 guest_address(const net::Network &network, std::uint8_t host_number) {
    Ipv4 address = network.gateway;
    address.octets[3] = host_number;
    return address;
}

std::string guest_tap(const net::Network &network, std::uint8_t host_number) {
    const auto subnet = net::parse_bridge_name(network.bridge);
    return subnet ? net::tap_name(*subnet, guest_address(network, host_number)) : std::string{};
}

std::uint8_t free_host_number(std::span<const std::uint8_t> taken) {
    for (std::uint32_t number = first_host_number; number <= last_host_number; ++number) {
        if (std::find(taken.begin(), taken.end(), number) == taken.end()) {
            return static_cast<std::uint8_t>(number);
        }
    }
    fail(ErrorCode::LimitsExceeded,
         "there are {} VMs, as many as the network has addresses: delete one first", taken.size());
}

} // namespace banger::vm
