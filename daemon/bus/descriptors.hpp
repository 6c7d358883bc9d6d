#pragma once

#include "base/unique_fd.hpp"
#include "dbus/compat.hpp"

namespace banger::bus {

/// A received descriptor, with close-on-exec, which sdbus-c++ does not set. Throws Error.
UniqueFd own(const sdbus::UnixFd &received);

/// A descriptor to be sent; no duplicate is made.
sdbus::UnixFd give(UniqueFd fd);

} // namespace banger::bus
