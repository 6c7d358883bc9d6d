#include "daemon/supervisor/memory_events.hpp"

#include "base/files.hpp"

#include <charconv>
#include <exception>
#include <string>

namespace banger::supervisor {
namespace {

/// The rest of the line that begins with `start`.
std::string_view line_after(std::string_view text, std::string_view start) noexcept {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.substr(0, start.size()) == start) {
            return line.substr(start.size());
        }
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return {};
}

} // namespace

std::string_view unified_cgroup(std::string_view proc_cgroup) noexcept {
    return line_after(proc_cgroup, "0::");
}

std::uint64_t oom_kill_count(std::string_view memory_events) noexcept {
    const std::string_view digits = line_after(memory_events, "oom_kill ");
    std::uint64_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count;
}

std::uint64_t out_of_memory_kills() noexcept {
    try {
        const std::string own = read_file("/proc/self/cgroup");
        const std::string_view group = unified_cgroup(own);
        return group.empty() ? 0
                             : oom_kill_count(read_file("/sys/fs/cgroup" + std::string(group) +
                                                        "/memory.events"));
    } catch (const std::exception &) {
        // No unified hierarchy here, or no memory controller in it.
        return 0;
    }
}

} // namespace banger::supervisor
