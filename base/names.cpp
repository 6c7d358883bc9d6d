#include "base/names.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace banger {
namespace {

constexpr std::string_view unit_prefix = "banger-vm@";
constexpr std::string_view unit_suffix = ".service";

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_dns_label(std::string_view name) {
    return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_artifact_name(std::string_view name) {
    const auto is_alnum = [](char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && name.size() <= 128 && is_alnum(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+';
           });
}

} // namespace

VmName::VmName(std::string_view name) : name_(name) {
    if (!is_dns_label(name)) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not a VM name: use 1 to 63 lower-case letters, digits and '-', "
             "with a letter or digit first and last",
             name);
    }
}

std::string VmName::unit() const {
    return fmt::format("{}{}{}", unit_prefix, name_, unit_suffix);
}

ArtifactName::ArtifactName(std::string_view kind, std::string_view name) : name_(name) {
    if (!is_artifact_name(name)) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not a name for a {}: use 1 to 128 letters, digits and '.', '_', '-', '+', "
             "with a letter or digit first",
             name, kind);
    }
}

std::string vm_name_of_unit(std::string_view unit) {
    if (!unit.starts_with(unit_prefix) || !unit.ends_with(unit_suffix) ||
        unit.size() <= unit_prefix.size() + unit_suffix.size()) {
        return {};
    }
    unit.remove_prefix(unit_prefix.size());
    unit.remove_suffix(unit_suffix.size());
    return is_dns_label(unit) ? std::string(unit) : std::string();
}

} // namespace banger
