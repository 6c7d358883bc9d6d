#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace banger {
namespace {

TEST(Process, HandsOverWordsUnchanged) {
    Command command;
    command.argv = {"printf", "%s|", "a b", "", "c'\"\n"};
    EXPECT_EQ(run_and_read(command), "a b||c'\"\n|");
}

TEST(Process, ReportsAMissingProgramByName) {
    Command command;
    command.argv = {"no-such-program-of-ours"};
    try {
        spawn(command);
        FAIL() << "it started";
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string(e.what()).find("no-such-program-of-ours"), std::string::npos);
    }
}

TEST(Process, AFailureCarriesTheProgramsLastWords) {
    Command command;
    command.argv = {"sh", "-c", "echo 'out of cheese' >&2; exit 3"};
    try {
        run_and_read(command);
        FAIL() << "it succeeded";
    } catch (const Error &e) {
        EXPECT_STREQ(e.what(), "sh exited with status 3: out of cheese");
    }
}

TEST(Process, TheChildSeesOnlyTheDescriptorsItWasGiven) {
    const FdPair leaked = make_pipe();
    const FdPair given = make_pipe();
    Command command;
    command.argv = {"sh", "-c", "echo hi >&7; ls /proc/self/fd"};
    command.descriptors = {{given.second.get(), 7}};
    // ls itself holds one more, for the directory it reads.
    EXPECT_EQ(run_and_read(command), "0\n1\n2\n3\n7\n");
    char buffer[4] = {};
    EXPECT_EQ(::read(given.first.get(), buffer, sizeof buffer), 3);
}

TEST(Process, DestructionEndsTheWholeGroup) {
    FdPair pipe = make_pipe();
    {
        Command command;
        command.argv = {"sh", "-c", "sleep 60 & echo ready; sleep 60"};
        command.standard_output = pipe.second.get();
        const ChildProcess child = spawn(command);
        pipe.second.reset();
        char buffer[8];
        ASSERT_EQ(::read(pipe.first.get(), buffer, sizeof buffer), 6);
    }
    char rest = 0;
    // End of file: nobody is left who holds the write end.
    EXPECT_EQ(::read(pipe.first.get(), &rest, 1), 0);
}

TEST(Process, AnExitIsAnEvent) {
    block_signals({SIGCHLD});
    EventLoop loop;
    Command command;
    command.argv = {"sh", "-c", "kill -TERM $$"};
    ChildProcess child = spawn(command);
    std::string seen;
    child.on_exit(loop, [&](int status) {
        seen = describe_exit(status);
        loop.exit(0);
    });
    loop.run();
    EXPECT_EQ(seen, "was killed by SIGTERM");
}

} // namespace
} // namespace banger
