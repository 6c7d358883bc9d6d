#include "daemon/kernel/origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace banger::kernel {
namespace {

constexpr std::array<Origin, 2> all{{
    {"debian-bookworm", "bookworm"},
    {"debian-trixie", "trixie"},
}};
constexpr std::string_view name_prefix = "debian-";
constexpr std::string_view package_prefix = "linux-image-";
constexpr std::string_view flavour = "-cloud-amd64";

bool is_release(std::string_view text) {
    // With two dots, "6.1.0": "6.12-cloud-amd64" is a metapackage of a whole series.
    const std::string_view version = text.substr(0, text.find('-'));
    return std::count(version.begin(), version.end(), '.') >= 2 && text.ends_with(flavour) &&
           text.front() >= '0' && text.front() <= '9' &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '.';
           });
}

std::optional<std::string> release_after(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix) || !is_release(text.substr(prefix.size()))) {
        return std::nullopt;
    }
    return std::string(text.substr(prefix.size()));
}

} // namespace

std::span<const Origin> origins() noexcept {
    return all;
}

const Origin *find_origin(std::string_view name) noexcept {
    if (name == "debian") {
        return &all.front();
    }
    const auto *const found =
        std::find_if(all.begin(), all.end(), [&](const Origin &o) { return o.name == name; });
    return found == all.end() ? nullptr : found;
}

std::optional<std::string> release_in_name(std::string_view name) {
    return release_after(name_prefix, name);
}

std::string package_of_release(std::string_view release) {
    return fmt::format("{}{}", package_prefix, release);
}

std::optional<std::string> release_of_package(std::string_view package) {
    return release_after(package_prefix, package);
}

} // namespace banger::kernel
