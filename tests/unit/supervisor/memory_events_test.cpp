#include "daemon/supervisor/memory_events.hpp"

#include <gtest/gtest.h>

namespace banger::supervisor {
namespace {

TEST(MemoryEvents, TheUnifiedGroupIsFoundAmongOthers) {
    EXPECT_EQ(unified_cgroup("1:name=systemd:/x\n0::/user.slice/a.service\n"),
              "/user.slice/a.service");
    EXPECT_EQ(unified_cgroup("1:name=systemd:/x\n"), "");
}

TEST(MemoryEvents, KillsAreCounted) {
    EXPECT_EQ(oom_kill_count("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"), 2U);
    EXPECT_EQ(oom_kill_count("low 0\n"), 0U);
    EXPECT_EQ(oom_kill_count(""), 0U);
}

} // namespace
} // namespace banger::supervisor
