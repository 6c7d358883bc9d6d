#pragma once

#include <string_view>

namespace banger::catalog {

/// The file of the catalog that this program carries, for parse().
std::string_view built_in() noexcept;

} // namespace banger::catalog
