#pragma once

#include "base/ipv4.hpp"

namespace banger::resolved {

using banger::Ipv4;

} // namespace banger::resolved
