#include "cli/output_copier.hpp"

#include "base/error.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

namespace banger::cli {
namespace {

// How long a stream may be silent after its program's end: long enough for what is on its way, and
// a process that it left behind cannot hold us.
constexpr int silence_after_end_ms = 1000;

UniqueFd make_event_fd() {
    UniqueFd fd{::eventfd(0, EFD_CLOEXEC)};
    if (!fd) {
        throw_errno("create an eventfd");
    }
    return fd;
}

void raise(const UniqueFd &event) noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(event.get(), &one, sizeof one);
}

} // namespace

OutputCopier::OutputCopier(UniqueFd from, int to)
    : from_(std::move(from)), ended_(make_event_fd()), abandoned_(make_event_fd()),
      done_(make_event_fd()), thread_([this, to] { run(to); }) {}

OutputCopier::~OutputCopier() {
    abandon();
    thread_.join();
}

void OutputCopier::program_ended() noexcept {
    raise(ended_);
}

void OutputCopier::abandon() noexcept {
    raise(abandoned_);
}

bool OutputCopier::write_whole(int to, const char *data, std::size_t size) noexcept {
    while (size > 0) {
        std::array<pollfd, 2> polls{{{to, POLLOUT, 0}, {abandoned_.get(), POLLIN, 0}}};
        if (::poll(polls.data(), polls.size(), -1) < 0) {
            continue;
        }
        if (polls[1].revents != 0) {
            return false;
        }
        // A pipe that polls writable takes this much without blocking (pipe(7)).
        const ssize_t n = ::write(to, data, std::min<std::size_t>(size, PIPE_BUF));
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        if (n > 0) {
            data += n;
            size -= static_cast<std::size_t>(n);
        }
    }
    return true;
}

void OutputCopier::run(int to) noexcept {
    constexpr std::size_t buffer_size = 128UL * 1024UL;
    std::vector<char> buffer(buffer_size);
    bool ended = false;
    while (true) {
        std::array<pollfd, 3> polls{
            {{from_.get(), POLLIN, 0}, {abandoned_.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
        const int ready = ::poll(polls.data(), ended ? 2 : 3, ended ? silence_after_end_ms : -1);
        if (ready < 0) {
            continue;
        }
        if (ready == 0 || polls[1].revents != 0) {
            break;
        }
        ended = ended || polls[2].revents != 0;
        if (polls[0].revents == 0) {
            continue;
        }
        const ssize_t n = ::read(from_.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || !write_whole(to, buffer.data(), static_cast<std::size_t>(n))) {
            break;
        }
    }
    // The writer learns at once that nobody reads any more.
    from_.reset();
    raise(done_);
}

} // namespace banger::cli
