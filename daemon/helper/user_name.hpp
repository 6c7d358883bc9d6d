#pragma once

#include <sys/types.h>

#include <string>

namespace banger::helper {

/// The user's name in the password database; "" where there is none.
std::string user_name_of(uid_t uid);

} // namespace banger::helper
