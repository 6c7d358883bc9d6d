#include "agent/init/console.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace banger::init {

void warn(std::string_view message) noexcept {
    try {
        // Priority 3 (error): shown on the console even with `quiet`.
        const std::string line = "<3>banger-init: " + std::string(message) + "\n";
        const UniqueFd fd{::open("/dev/kmsg", O_WRONLY | O_CLOEXEC)};
        [[maybe_unused]] const ssize_t ignored =
            ::write(fd ? fd.get() : STDERR_FILENO, line.data(), line.size());
    } catch (...) {
        // Nothing is left to say it with.
    }
}

} // namespace banger::init
