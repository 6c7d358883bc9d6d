#include "agent/agent/loop.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace banger::agent {
namespace {

using namespace std::chrono_literals;

TEST(Loop, TellsOfDescriptorsUntilTheWatchIsGone) {
    Loop loop;
    FdPair pipe = make_pipe();
    int calls = 0;
    Loop::Watch watch = loop.watch(pipe.first.get(), EPOLLIN, [&](std::uint32_t) {
        ++calls;
        watch.reset();
    });
    loop.run_once(0ms);
    EXPECT_EQ(calls, 0);
    ASSERT_EQ(::write(pipe.second.get(), "x", 1), 1);
    loop.run_once(0ms);
    loop.run_once(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(Loop, AWatchForNothingIsSilentAlsoAboutAHangUp) {
    Loop loop;
    FdPair pipe = make_pipe();
    int calls = 0;
    const Loop::Watch watch = loop.watch(pipe.first.get(), 0, [&](std::uint32_t) { ++calls; });
    pipe.second.reset();
    loop.run_once(0ms);
    EXPECT_EQ(calls, 0);
    watch->set(EPOLLIN);
    loop.run_once(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(Loop, TimersFireOnceAndCanBeCancelledByEachOther) {
    Loop loop;
    int fired = 0;
    Loop::Watch second;
    const Loop::Watch first = loop.timer(0ms, [&] {
        ++fired;
        second.reset();
    });
    second = loop.timer(0ms, [&] { ++fired; });
    loop.run_once(0ms);
    loop.run_once(0ms);
    EXPECT_EQ(fired, 1);
}

TEST(Loop, ACallbackThatThrowsStopsNobodyElse) {
    Loop loop;
    bool fired = false;
    const Loop::Watch bad = loop.timer(0ms, [] { throw std::runtime_error("no"); });
    const Loop::Watch good = loop.timer(0ms, [&] { fired = true; });
    loop.run_once(0ms);
    EXPECT_TRUE(fired);
}

TEST(Loop, TellsHowAChildEndedAndReapsTheOthers) {
    Loop loop;
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(7);
    }
    const pid_t stranger = ::fork();
    if (stranger == 0) {
        ::_exit(0);
    }
    int status = -1;
    const Loop::Watch watch = loop.child(child, [&](int s) { status = s; });
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(stranger), &info, WEXITED | WNOWAIT), 0);
    loop.reap();
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

} // namespace
} // namespace banger::agent
