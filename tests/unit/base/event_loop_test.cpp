#include "base/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <stdexcept>

namespace banger {
namespace {

TEST(EventLoop, AnExceptionInACallbackDoesNotEndTheLoop) {
    EventLoop loop;
    const EventSource bad = loop.add_deferred([] { throw std::runtime_error("one bad message"); });
    const EventSource good = loop.add_timer(std::chrono::milliseconds(5), [&] { loop.exit(7); });
    EXPECT_EQ(loop.run(), 7);
}

TEST(EventLoop, ASourceMayDestroyItselfInItsCallback) {
    EventLoop loop;
    const FdPair pipe = make_pipe();
    int calls = 0;
    EventSource source;
    source = loop.add_io(pipe.first.get(), EPOLLIN, [&](std::uint32_t) {
        ++calls;
        source.reset();
    });
    ASSERT_EQ(::write(pipe.second.get(), "xx", 2), 2);
    const EventSource end = loop.add_timer(std::chrono::milliseconds(20), [&] { loop.exit(0); });
    loop.run();
    EXPECT_EQ(calls, 1);
}

} // namespace
} // namespace banger
