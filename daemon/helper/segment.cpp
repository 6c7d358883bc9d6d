#include "daemon/helper/segment.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <charconv>

namespace banger::helper {
namespace {

// The part up to the next ':', which is taken off the text.
std::string_view take_part(std::string_view &text) {
    const auto colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    text = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    return part;
}

} // namespace

std::string LinkLabel::str() const {
    return fmt::format("banger:{}:{}{}{}", owner, address.str(), allow_host ? ":host" : "",
                       nat ? ":nat" : "");
}

std::optional<LinkLabel> LinkLabel::parse(std::string_view text) {
    std::string_view rest = text;
    LinkLabel label;
    if (take_part(rest) != "banger") {
        return std::nullopt;
    }
    const std::string_view owner = take_part(rest);
    if (std::from_chars(owner.data(), owner.data() + owner.size(), label.owner).ec != std::errc{}) {
        return std::nullopt;
    }
    try {
        label.address = Ipv4::parse(take_part(rest));
    } catch (const Error &) {
        return std::nullopt;
    }
    label.allow_host = text.find(":host") != std::string_view::npos;
    label.nat = text.ends_with(":nat");
    // One spelling for each value: what is not exactly ours is not ours.
    return label.str() == text ? std::optional{label} : std::nullopt;
}

bool Segment::any_nat() const {
    return std::any_of(guests.begin(), guests.end(), [](const Guest &guest) { return guest.nat; });
}

} // namespace banger::helper
