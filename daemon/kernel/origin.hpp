#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace banger::kernel {

/// A suite of Debian, and the name by which its newest kernel can be pulled.
struct Origin {
    std::string_view name;  ///< "debian-bookworm"
    std::string_view suite; ///< "bookworm"
};

std::span<const Origin> origins() noexcept;
/// nullptr: none of that name. "debian" is the default one.
const Origin *find_origin(std::string_view name) noexcept;

/// The release in the name of one certain kernel of Debian's: "debian-6.1.0-56-cloud-amd64" →
/// "6.1.0-56-cloud-amd64". None for any other name.
std::optional<std::string> release_in_name(std::string_view name);

/// The package of that release, and back; none for what is no cloud kernel's package.
std::string package_of_release(std::string_view release);
std::optional<std::string> release_of_package(std::string_view package);

} // namespace banger::kernel
