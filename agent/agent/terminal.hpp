#pragma once

#include "agent/channel/messages.hpp"
#include "base/unique_fd.hpp"

namespace banger::agent {

struct Terminal {
    UniqueFd master;
    UniqueFd slave;
};

/// pty(7) of that size. Throws Error.
Terminal open_terminal(const channel::WindowSize &size);
void set_window_size(int terminal, const channel::WindowSize &size) noexcept;

} // namespace banger::agent
