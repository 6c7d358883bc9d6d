#pragma once

#include "agent/agent/loop.hpp"
#include "agent/channel/session.hpp"

#include <string_view>

namespace banger::agent {

/// POST /v1/streams: connects the stream with "tcp:PORT" on the guest's loopback address or
/// "unix:/path"; 200 once connected. Throws Error for a target that is none.
void forward(Loop &loop, const channel::Stream &stream, std::string_view target);

} // namespace banger::agent
