#pragma once

#include "daemon/daemon.hpp"

namespace banger {

/// Below BANGER_LIBEXECDIR and BANGER_GUESTDIR of the build, or below the directories that the
/// environment variables of these names give: a build tree has no prefix.
Programs installed_programs();

} // namespace banger
