#include "daemon/oci/descriptor.hpp"

#include "base/sha256.hpp"

#include <algorithm>

namespace banger::oci {

std::optional<Digest> Digest::parse(std::string_view text) {
    constexpr std::string_view algorithm = "sha256:";
    if (!text.starts_with(algorithm)) {
        return std::nullopt;
    }
    text.remove_prefix(algorithm.size());
    const bool is_hex = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    return is_hex && text.size() == 64 ? std::optional{Digest{std::string(text)}} : std::nullopt;
}

Digest Digest::of(std::string_view content) {
    return Digest{sha256_of(content)};
}

} // namespace banger::oci
