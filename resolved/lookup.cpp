#include "resolved/lookup.hpp"

#include <fmt/format.h>

#include <charconv>

namespace banger::resolved {

namespace {

constexpr std::string_view top = "vm";

// "0" to "255", written in the one canonical way.
std::optional<std::uint8_t> parse_octet(std::string_view text) {
    std::uint8_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (!whole || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    return value;
}

Match look_up_forward(const Zone &zone, const Labels &name, const Labels &domain) {
    Match match{.kind = Match::Kind::NoName, .apex = zone.domain()};
    const std::size_t below = name.size() - domain.size();
    if (below == 0) {
        match.kind = Match::Kind::Exists;
        match.is_apex = true;
    } else if (below == 1) {
        match.address = zone.address_of(name.front());
        if (match.address) {
            match.kind = Match::Kind::Exists;
        }
    }
    return match;
}

Match look_up_reverse(const Zone &zone, const Labels &name, const Labels &apex,
                      std::string apex_text) {
    Match match{.kind = Match::Kind::NoName, .apex = std::move(apex_text)};
    const std::size_t below = name.size() - apex.size();
    if (below == 0) {
        match.kind = Match::Kind::Exists;
        match.is_apex = true;
    } else if (below == 1) {
        if (const auto last = parse_octet(name.front())) {
            Ipv4 address = *zone.bridge();
            address.octets.back() = *last;
            const std::string label = zone.name_of(address);
            if (!label.empty()) {
                match.kind = Match::Kind::Exists;
                match.host = label + "." + zone.domain();
            }
        }
    }
    return match;
}

} // namespace

Match look_up(const Zone &zone, const Labels &name, Client client) {
    const Labels domain = split_name(zone.domain());
    if (ends_with(name, domain)) {
        return look_up_forward(zone, name, domain);
    }
    const bool guest = client == Client::Guest || client == Client::GuestWithNat;
    if (guest && ends_with(name, {std::string{top}})) {
        // Between `vm` and the user's domain there are names without records of their own.
        const bool exists = ends_with(domain, name);
        return {.kind = exists ? Match::Kind::Exists : Match::Kind::NoName,
                .apex = std::string{top},
                .is_apex = name.size() == 1};
    }
    if (const auto bridge = zone.bridge()) {
        std::string text = fmt::format("{}.{}.{}.in-addr.arpa", bridge->octets[2],
                                       bridge->octets[1], bridge->octets[0]);
        const Labels apex = split_name(text);
        if (ends_with(name, apex)) {
            return look_up_reverse(zone, name, apex, std::move(text));
        }
    }
    return {};
}

} // namespace banger::resolved
