#include "base/unique_fd.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace banger {

void UniqueFd::reset(int fd) noexcept {
    if (fd_ >= 0 && fd_ != fd) {
        ::close(fd_);
    }
    fd_ = fd;
}

UniqueFd UniqueFd::duplicate() const {
    UniqueFd copy{::fcntl(fd_, F_DUPFD_CLOEXEC, 3)};
    if (!copy) {
        throw_errno("duplicate a descriptor");
    }
    return copy;
}

FdPair make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw_errno("make a pipe");
    }
    return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

FdPair make_socket_pair(int type) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_errno("make a socket pair");
    }
    return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

void set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        throw_errno("make a descriptor non-blocking");
    }
}

} // namespace banger
