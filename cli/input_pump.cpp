#include "cli/input_pump.hpp"

#include <unistd.h>

#include <cerrno>

namespace banger::cli {

InputPump::InputPump(int from, UniqueFd to) : from_(from), to_(std::move(to)) {
    if (to_) {
        set_nonblocking(to_.get());
    }
}

pollfd InputPump::wanted() const noexcept {
    if (!to_) {
        return {-1, 0, 0};
    }
    return pending_.empty() ? pollfd{from_, POLLIN, 0} : pollfd{to_.get(), POLLOUT, 0};
}

bool InputPump::pump() {
    if (pending_.empty()) {
        constexpr std::size_t chunk = 64UL * 1024UL;
        pending_.resize(chunk);
        const ssize_t n = ::read(from_, pending_.data(), chunk);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            pending_.clear();
            return true;
        }
        pending_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        if (n <= 0) {
            return false;
        }
    }
    const ssize_t n = ::write(to_.get(), pending_.data(), pending_.size());
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    pending_.erase(0, static_cast<std::size_t>(n));
    return true;
}

void InputPump::close() noexcept {
    to_.reset();
    pending_.clear();
}

} // namespace banger::cli
