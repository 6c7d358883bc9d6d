#include "base/byte_size.hpp"

#include "base/error.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace banger {
namespace {

constexpr std::string_view units = "BKMGT";

std::optional<std::uint64_t> factor_of(std::string_view suffix) {
    if (suffix.empty() || suffix == "B") {
        return 1;
    }
    const char first = static_cast<char>(suffix.front() & ~0x20);
    const auto power = units.find(first);
    const std::string_view rest = suffix.substr(1);
    if (power == std::string_view::npos || power == 0 ||
        !(rest.empty() || rest == "B" || rest == "iB" || rest == "b" || rest == "ib")) {
        return std::nullopt;
    }
    return std::uint64_t{1} << (10 * power);
}

} // namespace

std::uint64_t parse_byte_size(std::string_view text) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    const auto factor = factor_of(text.substr(static_cast<std::size_t>(end - text.data())));
    const double bytes = factor ? number * static_cast<double>(*factor) : -1;
    if (error != std::errc{} || !factor || !(bytes >= 0) || bytes >= 0x1p62) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not a size: write a number and K, M, G or T, for example 512M or 16G", text);
    }
    return static_cast<std::uint64_t>(bytes);
}

std::string format_byte_size(std::uint64_t bytes) {
    std::size_t power = 0;
    auto value = static_cast<double>(bytes);
    while (value >= 1024 && power + 1 < units.size()) {
        value /= 1024;
        ++power;
    }
    const bool whole = power == 0 || std::fabs(value - std::round(value)) < 0.05;
    const std::string unit = power == 0 ? "B" : fmt::format("{}iB", units[power]);
    return whole ? fmt::format("{:.0f} {}", value, unit) : fmt::format("{:.1f} {}", value, unit);
}

} // namespace banger
