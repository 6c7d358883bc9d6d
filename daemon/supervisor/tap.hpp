#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace banger::supervisor {

/// Opens a tap that banger-network-helper made for this user. Throws Error.
UniqueFd open_tap(const std::string &name);

/// org.banger.NetworkHelper.ReleaseTap over the system bus; needs neither bangerd nor the session
/// bus. Blocks up to 10 s. Throws Error.
void release_tap(const std::string &name);

} // namespace banger::supervisor
