#pragma once

#include "base/error.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace banger::debian {

/// The Error that fits what apt or mmdebstrap wrote before it ended: NetworkUnavailable when the
/// archive could not be reached, DiskFull, Unsupported for missing subordinate ids, else Internal.
/// `doing` reads like "read the package lists".
Error explain_failure(std::string_view doing, std::string_view ended,
                      const std::deque<std::string> &complaints);

/// "/dev/… has 12 MiB left": how much room the file system of `path` has, for messages.
std::string room_left(const std::string &path);

} // namespace banger::debian
