#include "daemon/net/guest_link.hpp"

#include <fmt/format.h>

#include <charconv>

namespace banger::net {
namespace {

constexpr std::string_view prefix = "bngr";
// 2^20 subnets of /24 are more than all private addresses; so names stay within 15 characters.
constexpr std::uint32_t highest_subnet = (1U << 20U) - 1;

// Canonical decimal only: each name has exactly one spelling.
std::optional<std::uint32_t> parse_number(std::string_view text) noexcept {
    std::uint32_t number = 0;
    const char *last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc{} || end != last || text.empty() ||
        (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    return number;
}

} // namespace

std::string bridge_name(std::uint32_t subnet) {
    return fmt::format("{}{}", prefix, subnet);
}

std::string tap_name(std::uint32_t subnet, const Ipv4 &address) {
    return fmt::format("{}{}-{}", prefix, subnet, address.octets[3]);
}

std::string mac_of(const Ipv4 &address) {
    const auto &octets = address.octets;
    return fmt::format("06:00:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2],
                       octets[3]);
}

std::optional<std::uint32_t> parse_bridge_name(std::string_view name) noexcept {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    const auto subnet = parse_number(name.substr(prefix.size()));
    return subnet && *subnet <= highest_subnet ? subnet : std::nullopt;
}

std::optional<TapName> parse_tap_name(std::string_view name) noexcept {
    const auto dash = name.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto subnet = parse_bridge_name(name.substr(0, dash));
    const auto host = parse_number(name.substr(dash + 1));
    if (!subnet || !host || *host < 2 || *host > 254) {
        return std::nullopt;
    }
    return TapName{*subnet, static_cast<std::uint8_t>(*host)};
}

} // namespace banger::net
