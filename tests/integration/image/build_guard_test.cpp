// banger-build-guard: nothing of a build outlives the one who began it.

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "base/temporary_directory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

namespace banger {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class BuildGuard : public testing::Test {
protected:
    Command guarded(std::vector<std::string> argv) const {
        Command command;
        command.argv = std::move(argv);
        command.argv.insert(command.argv.begin(), {BANGER_BUILD_GUARD, directory_.path().string()});
        return command;
    }

    bool is_locked() const {
        const UniqueFd fd = open_file(directory_.path(), O_RDONLY | O_DIRECTORY);
        return ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0;
    }

    static bool eventually(const std::function<bool()> &reached) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!reached() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return reached();
    }

    TemporaryDirectory directory_{"/tmp"};
};

TEST_F(BuildGuard, PassesStreamsAndStatus) {
    EXPECT_EQ(run_and_read(guarded({"echo", "one", "two"})), "one two\n");
    EXPECT_EQ(WEXITSTATUS(spawn(guarded({"sh", "-c", "exit 42"})).wait()), 42);
    EXPECT_EQ(WTERMSIG(spawn(guarded({"sh", "-c", "kill -KILL $$"})).wait()), SIGKILL);
    EXPECT_FALSE(is_locked());
}

TEST_F(BuildGuard, SaysWhatCannotBeRun) {
    EXPECT_THAT([&] { run_and_read(guarded({"/nonexistent"})); },
                ThrowsMessage<Error>(HasSubstr("E: start /nonexistent")));
}

TEST_F(BuildGuard, TheDirectoryIsLockedWhileTheCommandRuns) {
    ChildProcess child = spawn(guarded({"sleep", "60"}));
    EXPECT_TRUE(eventually([&] { return is_locked(); }));
    child.kill(SIGTERM);
    EXPECT_EQ(WTERMSIG(child.wait()), SIGTERM) << "SIGTERM is for the command to end by";
    EXPECT_FALSE(is_locked());
}

TEST_F(BuildGuard, ACommandThatCleansUpAtSigtermIsWaitedFor) {
    const auto ready = directory_.path() / "ready";
    const FdPair silence = make_pipe();
    Command command = guarded(
        {"sh", "-c", "trap 'rm -f \"$0\"; exit 7' TERM; : >\"$0\"; read line", ready.string()});
    command.standard_input = silence.first.get();
    ChildProcess child = spawn(command);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }));
    child.kill(SIGTERM);
    EXPECT_EQ(WEXITSTATUS(child.wait()), 7);
    EXPECT_FALSE(std::filesystem::exists(ready));
}

TEST_F(BuildGuard, NothingOutlivesTheOneWhoBeganIt) {
    // As mmdebstrap does it: a namespace of PIDs, and in it what is in no group of ours.
    const Command command =
        guarded({"unshare", "--user", "--map-root-user", "--pid", "--fork", "sh", "-c",
                 "setsid sleep 600 & : >\"$0\"; wait", (directory_.path() / "ready").string()});
    const pid_t began_it = ::fork();
    if (began_it == 0) {
        spawn(command).wait();
        ::_exit(0);
    }
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory_.path() / "ready"); }));
    EXPECT_TRUE(is_locked());
    ::kill(began_it, SIGKILL);
    ::waitpid(began_it, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return !is_locked(); })) << "all that held the lock is gone";
}

} // namespace
} // namespace banger
