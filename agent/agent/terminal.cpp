#include "agent/agent/terminal.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace banger::agent {

Terminal open_terminal(const channel::WindowSize &size) {
    UniqueFd master{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)};
    int unlocked = 0;
    if (!master || ::ioctl(master.get(), TIOCSPTLCK, &unlocked) != 0) {
        throw_errno("open a terminal in the guest");
    }
    UniqueFd slave{::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (!slave) {
        throw_errno("open the other side of a terminal in the guest");
    }
    set_window_size(master.get(), size);
    return {std::move(master), std::move(slave)};
}

void set_window_size(int terminal, const channel::WindowSize &size) noexcept {
    winsize wanted{};
    wanted.ws_row = size.rows;
    wanted.ws_col = size.columns;
    ::ioctl(terminal, TIOCSWINSZ, &wanted);
}

} // namespace banger::agent
