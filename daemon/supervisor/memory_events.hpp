#pragma once

#include <cstdint>
#include <string_view>

namespace banger::supervisor {

/// How many processes of this process's own cgroup (v2) the kernel has killed for want of memory; 0
/// where it cannot be told.
std::uint64_t out_of_memory_kills() noexcept;

/// The path after "0::" in the text of /proc/PID/cgroup (cgroups(7)); empty if there is none.
std::string_view unified_cgroup(std::string_view proc_cgroup) noexcept;
/// The number after "oom_kill " in the text of memory.events.
std::uint64_t oom_kill_count(std::string_view memory_events) noexcept;

} // namespace banger::supervisor
