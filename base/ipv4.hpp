#pragma once

#include <netinet/in.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace banger {

/// An IPv4 address; octets in the order they are written.
struct Ipv4 {
    std::array<std::uint8_t, 4> octets{};

    /// Dotted decimal, as inet_pton(3) takes it. Throws Error{InvalidArgument}.
    static Ipv4 parse(std::string_view text);
    static Ipv4 from(const in_addr &address) noexcept;
    /// 172.16.0.1 is 0xAC100001.
    static Ipv4 from_number(std::uint32_t number) noexcept;

    in_addr to_in_addr() const noexcept;
    std::uint32_t number() const noexcept;
    std::string str() const;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 that it compares with
    auto operator<=>(const Ipv4 &) const = default;
};

/// The `length` leading bits of an address, as "172.16.0.0/24"; the other bits are zero.
struct Ipv4Prefix {
    Ipv4 address;
    unsigned length = 0; ///< 0 to 32

    /// Throws Error{InvalidArgument} that says what is wrong, also where bits after the prefix are
    /// set.
    static Ipv4Prefix parse(std::string_view text);
    /// The prefix of that length which the address is in.
    static Ipv4Prefix of(const Ipv4 &address, unsigned length) noexcept;

    bool contains(const Ipv4 &other) const noexcept;
    bool overlaps(const Ipv4Prefix &other) const noexcept;
    std::string str() const;

    // NOLINTNEXTLINE(modernize-use-nullptr): as above
    auto operator<=>(const Ipv4Prefix &) const = default;
};

} // namespace banger
