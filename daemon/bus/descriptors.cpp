#include "daemon/bus/descriptors.hpp"

#include "base/error.hpp"

#include <fcntl.h>

namespace banger::bus {

UniqueFd own(const sdbus::UnixFd &received) {
    UniqueFd fd{::fcntl(received.get(), F_DUPFD_CLOEXEC, 0)};
    if (!fd) {
        throw_errno("take a received descriptor");
    }
    return fd;
}

sdbus::UnixFd give(UniqueFd fd) {
    return sdbus::UnixFd{fd.release(), sdbus::adopt_fd};
}

} // namespace banger::bus
