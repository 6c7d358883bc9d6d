#pragma once

#include <string>

namespace banger::vm {

/// A name that is easy to say and to type, for a VM that was given none: "brave-otter".
std::string generated_name();

} // namespace banger::vm
