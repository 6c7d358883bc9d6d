#pragma once

#include <netinet/in.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace banger::resolved {

/// An IPv4 address; octets in the order they are written.
struct Ipv4 {
    std::array<std::uint8_t, 4> octets{};

    /// Dotted decimal, as inet_pton(3) takes it. Throws Error{InvalidArgument}.
    static Ipv4 parse(std::string_view text);
    static Ipv4 from(const in_addr &address) noexcept;

    in_addr to_in_addr() const noexcept;
    std::string str() const;

    auto operator<=>(const Ipv4 &) const = default;
};

} // namespace banger::resolved
