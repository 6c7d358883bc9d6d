#include "daemon/supervisor/exit_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <csignal>

namespace banger::supervisor {
namespace {

using testing::HasSubstr;

int exited(int status) {
    return W_EXITCODE(status, 0);
}

VmmEnd running(int wait_status) {
    return {.wait_status = wait_status,
            .confined = true,
            .confinement_failed = false,
            .announced = {},
            .agent_was_ready = true,
            .stop_requested = false,
            .killed_by_us = false,
            .out_of_memory = false,
            .vmm = "QEMU"};
}

TEST(ClassifyEnd, AWantedStopIsCleanWhenTheGuestWentByItself) {
    VmmEnd end = running(exited(0));
    end.stop_requested = true;
    EXPECT_EQ(classify(end).reason, ExitReason::Stopped);
    EXPECT_TRUE(classify(end).clean);
    EXPECT_TRUE(classify(end).success());
}

TEST(ClassifyEnd, AGuestThatWasCutOffIsStoppedButNotClean) {
    VmmEnd end = running(W_EXITCODE(0, SIGKILL));
    end.stop_requested = true;
    end.killed_by_us = true;
    EXPECT_EQ(classify(end).reason, ExitReason::Stopped);
    EXPECT_FALSE(classify(end).clean);
    EXPECT_TRUE(classify(end).success());
}

TEST(ClassifyEnd, WhatTheGuestAnnouncedIsHowItEnded) {
    VmmEnd end = running(exited(0));
    end.announced = "poweroff";
    EXPECT_EQ(classify(end).reason, ExitReason::Poweroff);
    end.announced = "reboot";
    EXPECT_EQ(classify(end).reason, ExitReason::Reboot);
    // A guest that halted does not end its VMM.
    end.announced = "halt";
    end.wait_status = W_EXITCODE(0, SIGKILL);
    end.killed_by_us = true;
    EXPECT_EQ(classify(end).reason, ExitReason::Halt);
    EXPECT_TRUE(classify(end).clean);
    EXPECT_TRUE(classify(end).success());
}

TEST(ClassifyEnd, AnEndWithoutAWordIsAPanic) {
    EXPECT_EQ(classify(running(exited(0))).reason, ExitReason::Panic);
    EXPECT_FALSE(classify(running(exited(0))).success());
}

TEST(ClassifyEnd, DeathBySignalIsSeenThroughBubblewrap) {
    EXPECT_EQ(classify(running(exited(128 + SIGKILL))).reason, ExitReason::Killed);
    EXPECT_EQ(classify(running(W_EXITCODE(0, SIGKILL))).reason, ExitReason::Killed);
    const ExitRecord crash = classify(running(exited(128 + SIGSEGV)));
    EXPECT_EQ(crash.reason, ExitReason::VmmCrashed);
    EXPECT_THAT(crash.message, HasSubstr("SIGSEGV"));
}

TEST(ClassifyEnd, FirecrackersOwnStatusesAreNoSignals) {
    VmmEnd end = running(exited(148));
    end.vmm = "Firecracker";
    EXPECT_EQ(classify(end).reason, ExitReason::VmmCrashed);
    EXPECT_THAT(classify(end).message, HasSubstr("Firecracker exited with status 148"));
}

TEST(ClassifyEnd, WantOfMemoryIsToldFromOtherKills) {
    VmmEnd end = running(exited(128 + SIGKILL));
    end.out_of_memory = true;
    EXPECT_EQ(classify(end).reason, ExitReason::OutOfMemory);
    EXPECT_THAT(classify(end).message, HasSubstr("--memory"));
}

TEST(ClassifyEnd, AVmmThatNeverCameUpIsAFailedStart) {
    VmmEnd end = running(exited(1));
    end.agent_was_ready = false;
    EXPECT_EQ(classify(end).reason, ExitReason::StartFailed);
    end.confinement_failed = true;
    EXPECT_THAT(classify(end).message, HasSubstr("user namespaces"));
}

TEST(ClassifyEnd, AGuestThatNeverAnsweredIsAFailedStart) {
    VmmEnd end = running(W_EXITCODE(0, SIGKILL));
    end.agent_was_ready = false;
    end.killed_by_us = true;
    EXPECT_EQ(classify(end).reason, ExitReason::StartFailed);
}

TEST(ClassifyService, ASupervisorThatEndedByItselfHasSaidItAll) {
    EXPECT_FALSE(classify(ServiceResult{.result = "success", .code = "exited", .status = "0"}));
    EXPECT_FALSE(classify(ServiceResult{.result = "exit-code", .code = "exited", .status = "1"}));
}

TEST(ClassifyService, AKilledSupervisorIsRecordedForIt) {
    const auto record =
        classify(ServiceResult{.result = "signal", .code = "killed", .status = "KILL"});
    ASSERT_TRUE(record);
    EXPECT_EQ(record->reason, ExitReason::Killed);
    EXPECT_THAT(record->message, HasSubstr("KILL"));
    EXPECT_EQ(
        classify(ServiceResult{.result = "oom-kill", .code = "killed", .status = "KILL"})->reason,
        ExitReason::OutOfMemory);
}

TEST(LastExit, HasTheDocumentedForm) {
    const auto json =
        nlohmann::json::parse(to_json({ExitReason::VmmCrashed, "QEMU died", false}, 17));
    EXPECT_EQ(json, (nlohmann::json{{"reason", "vmm-crashed"},
                                    {"message", "QEMU died"},
                                    {"time_usec", 17},
                                    {"clean", false}}));
}

} // namespace
} // namespace banger::supervisor
