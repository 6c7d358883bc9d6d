#pragma once

#include "base/error.hpp"

#include <optional>
#include <string_view>

namespace banger::vm {

/// What last-exit.json (docs/architecture.md) tells of an end that was not asked for; nullopt for a
/// clean one. Text that is not understood is an Error{Internal}.
std::optional<Error> error_of_last_exit(std::string_view json);

} // namespace banger::vm
