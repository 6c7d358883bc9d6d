#pragma once

#include <span>
#include <string_view>

namespace banger::store {

/// The steps from an empty database to the present one; the n-th leads to user_version n + 1. A
/// step that was released is never changed.
std::span<const std::string_view> migrations() noexcept;

} // namespace banger::store
