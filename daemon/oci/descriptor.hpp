#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banger::oci {

/// A SHA-256 digest as the OCI image-spec writes it, "sha256:" and 64 lower-case hexadecimal
/// digits. The other algorithms of the specification are not taken.
class Digest {
public:
    /// None for anything else, so that the caller can say where it stood.
    static std::optional<Digest> parse(std::string_view text);
    static Digest of(std::string_view content);

    /// The 64 digits alone.
    const std::string &hex() const noexcept { return hex_; }
    std::string str() const { return "sha256:" + hex_; }

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 that it compares with
    auto operator<=>(const Digest &) const = default;

private:
    explicit Digest(std::string hex) : hex_(std::move(hex)) {}

    std::string hex_;
};

/// What a manifest says of one blob (image-spec, descriptor.md).
struct Descriptor {
    Digest digest;
    std::uint64_t size; ///< bytes
    std::string media_type;
};

} // namespace banger::oci
