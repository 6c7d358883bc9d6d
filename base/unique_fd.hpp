#pragma once

#include <utility>

namespace banger {

/// Owns one file descriptor and closes it. Move-only; -1 means none.
class UniqueFd {
public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd &&other) noexcept : fd_(other.release()) {}
    UniqueFd &operator=(UniqueFd &&other) noexcept {
        reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd &) = delete;
    UniqueFd &operator=(const UniqueFd &) = delete;
    ~UniqueFd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

    /// A duplicate with close-on-exec set. Throws Error.
    UniqueFd duplicate() const;

private:
    int fd_ = -1;
};

struct FdPair {
    UniqueFd first;
    UniqueFd second;
};

/// pipe2(2) with O_CLOEXEC: first is the read end, second the write end. Throws Error.
FdPair make_pipe();

/// socketpair(2) of AF_UNIX with SOCK_CLOEXEC; `type` is SOCK_STREAM or SOCK_SEQPACKET. Throws
/// Error.
FdPair make_socket_pair(int type);

/// Sets O_NONBLOCK. Throws Error.
void set_nonblocking(int fd);

} // namespace banger
