#include "agent/agent/log.hpp"

#include <unistd.h>

#include <string>

namespace banger::agent {

void log(std::string_view message) noexcept {
    try {
        // One write, so that it is one record of the kernel's log.
        const std::string line = "banger-agent: " + std::string(message) + "\n";
        [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
    } catch (...) {
        // Without memory there is nothing to say it with.
    }
}

} // namespace banger::agent
