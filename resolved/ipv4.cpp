#include "resolved/ipv4.hpp"

#include "base/error.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace banger::resolved {

Ipv4 Ipv4::parse(std::string_view text) {
    in_addr address{};
    if (inet_pton(AF_INET, std::string{text}.c_str(), &address) != 1) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not an IPv4 address; it must look like 172.16.0.2", text);
    }
    return from(address);
}

Ipv4 Ipv4::from(const in_addr &address) noexcept {
    Ipv4 result;
    std::memcpy(result.octets.data(), &address.s_addr, result.octets.size());
    return result;
}

in_addr Ipv4::to_in_addr() const noexcept {
    in_addr result{};
    std::memcpy(&result.s_addr, octets.data(), octets.size());
    return result;
}

std::string Ipv4::str() const {
    return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3]);
}

} // namespace banger::resolved
