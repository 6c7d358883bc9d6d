#include "base/ipv4.hpp"

#include "base/error.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace banger {
namespace {

std::uint32_t mask_of(unsigned length) noexcept {
    return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
}

} // namespace

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

Ipv4 Ipv4::from_number(std::uint32_t number) noexcept {
    return from(in_addr{.s_addr = htonl(number)});
}

in_addr Ipv4::to_in_addr() const noexcept {
    in_addr result{};
    std::memcpy(&result.s_addr, octets.data(), octets.size());
    return result;
}

std::uint32_t Ipv4::number() const noexcept {
    return ntohl(to_in_addr().s_addr);
}

std::string Ipv4::str() const {
    return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3]);
}

Ipv4Prefix Ipv4Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const std::string_view digits = slash == std::string_view::npos ? "" : text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
        length > 32) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not an IPv4 network; it must look like 172.16.0.0/12", text);
    }
    const Ipv4 address = Ipv4::parse(text.substr(0, slash));
    const Ipv4Prefix result = of(address, length);
    if (result.address != address) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not an IPv4 network: bits after the prefix are set; did you mean {}?", text,
             result.str());
    }
    return result;
}

Ipv4Prefix Ipv4Prefix::of(const Ipv4 &address, unsigned length) noexcept {
    return {Ipv4::from_number(address.number() & mask_of(length)), length};
}

bool Ipv4Prefix::contains(const Ipv4 &other) const noexcept {
    return (other.number() & mask_of(length)) == address.number();
}

bool Ipv4Prefix::overlaps(const Ipv4Prefix &other) const noexcept {
    const std::uint32_t mask = mask_of(std::min(length, other.length));
    return (address.number() & mask) == (other.address.number() & mask);
}

std::string Ipv4Prefix::str() const {
    return fmt::format("{}/{}", address.str(), length);
}

} // namespace banger
