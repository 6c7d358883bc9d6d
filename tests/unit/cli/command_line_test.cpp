#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace banger::cli {
namespace {

using testing::HasSubstr;

struct Outcome {
    int status;
    std::string error;
};

Outcome run(std::vector<std::string> arguments) {
    ::setenv("XDG_RUNTIME_DIR", "/nonexistent", 0);
    testing::internal::CaptureStderr();
    const int status = run_command_line(std::move(arguments));
    return {status, testing::internal::GetCapturedStderr()};
}

TEST(CommandLine, UsageMistakesExitWithTwoAndNameTheHelp) {
    for (const std::vector<std::string> &arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"vm"},
                                               {"vm", "rum"},
                                               {"vm", "run", "--no-such-flag"},
                                               {"vm", "run", "--rm", "-d"},
                                               {"vm", "run", "-d", "--", "true"},
                                               {"vm", "run", "--"},
                                               {"vm", "run", "--dry-run"},
                                               {"vm", "run", "--branch", "x"},
                                               {"vm", "run", ".", "--from", "HEAD"},
                                               {"vm", "exec", "sandbox"},
                                               {"vm", "stop"},
                                               {"completion", "tcsh"}}) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.status, 2) << testing::PrintToString(arguments);
        EXPECT_THAT(outcome.error, HasSubstr("banger: "));
        EXPECT_THAT(outcome.error, HasSubstr("--help`"));
    }
}

TEST(CommandLine, AnUnknownVerbIsNamed) {
    EXPECT_THAT(run({"vm", "rum"}).error, HasSubstr("there is no command 'banger vm rum'"));
}

TEST(CommandLine, BadValuesAreRefusedBeforeAnythingIsAsked) {
    EXPECT_THAT(run({"vm", "run", "--vcpu", "0"}).error, HasSubstr("--vcpu 1 to 32"));
    EXPECT_THAT(run({"vm", "run", "--memory", "1"}).error, HasSubstr("1 MiB"));
    EXPECT_THAT(run({"vm", "run", "--name", "Bad_Name"}).error, HasSubstr("Bad_Name"));
    EXPECT_EQ(run({"vm", "run", "--vcpu", "0"}).status, 1);
}

TEST(CommandLine, OwnFailuresOfACommandRunExitWith125) {
    EXPECT_EQ(run({"vm", "run", "--vcpu", "0", "--", "true"}).status, 125);
}

} // namespace
} // namespace banger::cli
