#include "base/error.hpp"
#include "daemon/task/child_task.hpp"
#include "daemon/task/worker_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <csignal>

using namespace banger;
using namespace banger::task;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class Tasks : public testing::Test {
protected:
    Tasks() { block_signals({SIGCHLD}); }

    static Command shell(const std::string &script) {
        Command command;
        command.argv = {"/bin/sh", "-c", script};
        return command;
    }

    void run() {
        const auto limit = loop_.add_timer(std::chrono::seconds{30}, [this] { loop_.exit(1); });
        EXPECT_EQ(loop_.run(), 0) << "nothing for 30 s";
    }

    EventLoop loop_;
};

TEST_F(Tasks, LinesOfAllStreamsAreHandedOverBeforeTheEnd) {
    std::vector<std::string> lines;
    int ended = -1;
    const auto keep = [&](const char *from) {
        return [&lines, from](std::string_view line) {
            lines.push_back(std::string(from) + std::string(line));
        };
    };
    ChildTask task{loop_,
                   shell("echo a; printf 'b\\rc' ; echo d >&2; echo e >&3; exit 7"),
                   {keep("out "), keep("err "), keep("status "), [&](int status) {
                        ended = WEXITSTATUS(status);
                        loop_.exit(0);
                    }}};
    run();
    EXPECT_EQ(ended, 7);
    EXPECT_THAT(lines,
                testing::UnorderedElementsAre("out a", "out b", "out c", "err d", "status e"));
    EXPECT_THAT(task.complaints(), ElementsAre("d"));
}

TEST_F(Tasks, StopEndsTheWholeGroup) {
    int signal = 0;
    ChildTask task{loop_,
                   shell("sleep 1000 & echo ready; wait"),
                   {[&](std::string_view) { task.stop(); },
                    {},
                    {},
                    [&](int status) {
                        signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
                        loop_.exit(0);
                    }}};
    run();
    EXPECT_EQ(signal, SIGTERM);
}

TEST_F(Tasks, AProgramThatIsNotThereIsNamed) {
    Command command;
    command.argv = {"no-such-program-at-all"};
    try {
        ChildTask task{loop_, command, {{}, {}, {}, [](int) {}}};
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), HasSubstr("no-such-program-at-all"));
    }
}

TEST_F(Tasks, AWorkersErrorKeepsItsCode) {
    std::optional<Error> error;
    WorkerTask task{loop_,
                    "/bin/sh",
                    {"-c", R"(echo '{"error":{"code":"DiskFull","message":"no room"}}'; exit 1)"},
                    std::nullopt,
                    {{}, [&](const Outcome<nlohmann::json> &result) {
                         error = result ? std::nullopt : std::optional{result.error()};
                         loop_.exit(0);
                     }}};
    run();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::DiskFull);
    EXPECT_STREQ(error->what(), "no room");
}

TEST_F(Tasks, AWorkerThatDiesWithoutAWordIsAnError) {
    std::string message;
    WorkerTask task{loop_,
                    "/bin/sh",
                    {"-c", "echo nonsense; kill -9 $$"},
                    std::nullopt,
                    {{}, [&](const Outcome<nlohmann::json> &result) {
                         message = result ? "none" : result.error().what();
                         loop_.exit(0);
                     }}};
    run();
    EXPECT_THAT(message, HasSubstr("SIGKILL"));
}

TEST_F(Tasks, AWorkersResultAndProgressArrive) {
    std::uint64_t bytes = 0;
    std::string digest;
    WorkerTask task{loop_,
                    "/bin/sh",
                    {"-c", R"(echo '{"bytes":5,"total":9}'; echo '{"result":{"digest":"abc"}}')"},
                    std::nullopt,
                    {[&](std::uint64_t done, std::uint64_t) { bytes = done; },
                     [&](Outcome<nlohmann::json> result) {
                         digest = result.value().at("digest").get<std::string>();
                         loop_.exit(0);
                     }}};
    run();
    EXPECT_EQ(bytes, 5U);
    EXPECT_EQ(digest, "abc");
}

} // namespace
