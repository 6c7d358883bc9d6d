#pragma once

#include "base/steps.hpp"
#include "daemon/helper/links.hpp"
#include "daemon/helper/subnet_pool.hpp"

namespace banger::helper {

/// Makes the user's bridge with a MAC that does not change with its ports, labelled, without IPv6,
/// with the gateway address; what is there already stays. Raising it is left to the caller, who has
/// rules to load first. Adds the undo of what it made. Throws Error{NetworkUnavailable}, also where
/// a link of that name is not banger's.
LinkState ensure_bridge(Links &links, const Subnet &subnet, UndoList &undo);

} // namespace banger::helper
