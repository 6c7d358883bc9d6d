#include "agent/agent/process.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

namespace banger::agent {
namespace {

Launch command(std::vector<std::string> argv, const UniqueFd &null) {
    Launch what;
    what.argv = std::move(argv);
    what.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
    what.cwd = "/";
    what.user.uid = ::getuid();
    what.user.gid = ::getgid();
    what.user.groups = {::getgid()};
    what.standard_input = what.standard_output = what.standard_error = null.get();
    return what;
}

class LaunchTest : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "sets groups, which takes root";
        }
        null_ = open_file("/dev/null", O_RDWR);
    }
    /// What the child said about its start: nothing, if it began.
    static std::optional<LaunchFailure> failure_of(const Launched &launched) {
        pollfd waiting{launched.progress.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&waiting, 1, 10000), 1);
        LaunchFailure failure;
        return ::read(launched.progress.get(), &failure, sizeof(failure)) == sizeof(failure)
                   ? std::optional(failure)
                   : std::nullopt;
    }
    static int status_of(const Launched &launched) {
        int status = 0;
        EXPECT_EQ(::waitpid(launched.pid, &status, 0), launched.pid);
        return status;
    }
    UniqueFd null_;
};

TEST_F(LaunchTest, LooksInThePathOfTheNewEnvironment) {
    const Launched launched =
        launch(command({"sh", "-c", "test $GREETING = hello; exit $?"}, null_));
    EXPECT_FALSE(failure_of(launched));
    EXPECT_EQ(WEXITSTATUS(status_of(launched)), 0);
}

TEST_F(LaunchTest, TellsWhichStepFailedAndWhy) {
    const Launched program = launch(command({"no-such-program"}, null_));
    const auto why = failure_of(program);
    ASSERT_TRUE(why);
    EXPECT_EQ(why->error_number, ENOENT);
    EXPECT_STREQ(why->step, "execute");
    status_of(program);

    Launch what = command({"true"}, null_);
    what.cwd = "/nonexistent";
    const Launched directory = launch(what);
    const auto other = failure_of(directory);
    ASSERT_TRUE(other);
    EXPECT_STREQ(other->step, "change to the directory");
    status_of(directory);
}

TEST_F(LaunchTest, GivesTheChildNothingOfOurs) {
    const UniqueFd ours = open_file("/dev/null", O_RDONLY);
    const Launched launched = launch(
        command({"sh", "-c", "test ! -e /proc/self/fd/" + std::to_string(ours.get())}, null_));
    EXPECT_EQ(WEXITSTATUS(status_of(launched)), 0);
}

TEST(Signals, HaveNamesAndNumbers) {
    EXPECT_EQ(signal_number("INT"), SIGINT);
    EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
    EXPECT_EQ(signal_number("9"), SIGKILL);
    for (const char *wrong : {"", "NOPE", "0", "-1", "9x", "1000"}) {
        EXPECT_EQ(signal_number(wrong), 0) << wrong;
    }
    EXPECT_EQ(signal_name(SIGKILL), "KILL");
}

} // namespace
} // namespace banger::agent
