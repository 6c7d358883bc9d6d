#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace banger {

/// The name of a VM: a DNS label (RFC 1123), 1 to 63 of a-z, 0-9 and '-', neither first nor last a
/// '-'. So it needs no escaping as a unit instance, a host name or a file name.
class VmName {
public:
    /// Throws Error{InvalidArgument} that quotes the name and says what is allowed.
    explicit VmName(std::string_view name);

    const std::string &str() const noexcept { return name_; }
    /// "banger-vm@NAME.service"
    std::string unit() const;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 that it compares with
    auto operator<=>(const VmName &) const = default;

private:
    std::string name_;
};

/// The name of an image or a kernel: 1 to 128 of A-Z, a-z, 0-9, '.', '_', '-' and '+', first a
/// letter or digit.
class ArtifactName {
public:
    /// `kind` is "image" or "kernel", for the message. Throws Error{InvalidArgument}.
    ArtifactName(std::string_view kind, std::string_view name);

    const std::string &str() const noexcept { return name_; }

    auto operator<=>(const ArtifactName &) const = default;

private:
    std::string name_;
};

/// The name inside "banger-vm@NAME.service"; empty for any other unit.
std::string vm_name_of_unit(std::string_view unit);

} // namespace banger
