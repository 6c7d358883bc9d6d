#include "base/error.hpp"
#include "tests/integration/supervisor/harness.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdint>

namespace banger::supervisor {
namespace {

using testing::HasSubstr;

TEST_F(SupervisorTest, TellsSystemdEachStageAndIsReadyWithTheAgent) {
    start();
    wait_for_notification("READY=1");
    std::string all;
    for (const std::string &text : notifications) {
        all += text + "\n";
    }
    EXPECT_THAT(all, HasSubstr("STATUS=Preparing disks and network"));
    EXPECT_THAT(all, HasSubstr("STATUS=Booting under QEMU (software emulation)"));
    EXPECT_THAT(all, HasSubstr("EXTEND_TIMEOUT_USEC="));
    EXPECT_THAT(notifications.back(), HasSubstr("STATUS=Running"));
}

TEST_F(SupervisorTest, TellsSubscribersTheState) {
    start();
    wait_for_notification("READY=1");
    ControlClient client = connect();
    client.send({{"id", 1}, {"op", "subscribe"}});
    EXPECT_EQ(client.receive(), (nlohmann::json{{"id", 1}, {"ok", true}}));
    nlohmann::json state = client.receive();
    while (!state.at("boot_finished").get<bool>()) {
        state = client.receive();
    }
    EXPECT_EQ(state.at("stage"), "agent-ready");
    EXPECT_TRUE(state.at("login_ready").get<bool>());
    ASSERT_EQ(state.at("timings").size(), 2U);
    EXPECT_EQ(state.at("timings").at(1).at(0), "agent-ready");
    signal(SIGTERM);
    EXPECT_EQ(client.receive_with("stage").at("stage"), "stopping");
    EXPECT_EQ(wait_for_end(), 0);
}

TEST_F(SupervisorTest, SigtermShutsTheGuestDownInOrder) {
    start();
    wait_for_notification("READY=1");
    signal(SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    wait_for_notification("STOPPING=1");
    EXPECT_EQ(last_exit().at("reason"), "stopped");
    EXPECT_TRUE(last_exit().at("clean").get<bool>());
    EXPECT_TRUE(vmm_processes().empty());
    EXPECT_FALSE(std::filesystem::exists(directory() / "machine.json"));
    EXPECT_FALSE(std::filesystem::exists(directory() / "supervisor.sock"));
    EXPECT_FALSE(std::filesystem::exists(directory() / "vmm"));
}

TEST_F(SupervisorTest, AGuestThatDoesNotShutDownIsEndedWithinItsDeadline) {
    start();
    wait_for_notification("READY=1");
    ControlClient client = connect();
    exec(client, {"deaf"}).control.receive_with("exit");
    const auto began = std::chrono::steady_clock::now();
    signal(SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    EXPECT_EQ(last_exit().at("reason"), "stopped");
    EXPECT_FALSE(last_exit().at("clean").get<bool>());
}

TEST_F(SupervisorTest, PoweroffAndHaltInTheGuestAreCleanEnds) {
    for (const char *how : {"poweroff", "halt"}) {
        notifications.clear();
        start();
        wait_for_notification("READY=1");
        end_guest(how);
        EXPECT_EQ(wait_for_end(), 0) << how;
        EXPECT_EQ(last_exit().at("reason"), how);
        EXPECT_TRUE(last_exit().at("clean").get<bool>());
    }
}

TEST_F(SupervisorTest, RebootInTheGuestBootsItAgain) {
    const auto begin = std::chrono::steady_clock::now();
    start();
    wait_for_notification("READY=1");
    ControlClient client = connect();
    client.send({{"id", 1}, {"op", "subscribe"}});
    const std::chrono::microseconds first_boot(
        client.receive_with("stage").at("timings").at(1).at(1).get<std::int64_t>());
    exec(client, {"end", "reboot"}).control.receive_with("started");
    nlohmann::json state = client.receive_with("stage");
    while (state.at("stage") != "vmm-started") {
        state = client.receive_with("stage");
    }
    const std::chrono::microseconds vmm_started(
        state.at("timings").at(0).at(1).get<std::int64_t>());
    EXPECT_LT(vmm_started, std::chrono::steady_clock::now() - begin - first_boot)
        << "the timings of a boot begin with that boot";
    while (state.at("stage") != "agent-ready" || !state.at("login_ready").get<bool>()) {
        state = client.receive_with("stage");
    }
    EXPECT_EQ(exec(client, {"exit", "7"}).control.receive_with("exit"),
              (nlohmann::json{{"exit", 7}}));
    signal(SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_EQ(last_exit().at("reason"), "stopped");
}

TEST_F(SupervisorTest, APanicFailsTheUnit) {
    start();
    wait_for_notification("READY=1");
    end_guest("panic");
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "panic");
    wait_for_notification("STATUS=the guest went down without shutting down");
}

TEST_F(SupervisorTest, ACrashOfTheVmmFailsTheUnit) {
    start();
    wait_for_notification("READY=1");
    end_guest("crash");
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "vmm-crashed");
    EXPECT_THAT(last_exit().at("message").get<std::string>(), HasSubstr("SIGABRT"));
}

TEST_F(SupervisorTest, AKilledVmmFailsTheUnit) {
    start();
    wait_for_notification("READY=1");
    const auto processes = vmm_processes();
    ASSERT_EQ(processes.size(), 1U);
    ::kill(processes.front(), SIGKILL);
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "killed");
    EXPECT_THAT(last_exit().at("message").get<std::string>(), HasSubstr("SIGKILL"));
}

TEST_F(SupervisorTest, AKilledSupervisorTakesItsVmmAlong) {
    start();
    wait_for_notification("READY=1");
    ASSERT_EQ(vmm_processes().size(), 1U);
    signal(SIGKILL);
    wait_for_end();
    EXPECT_TRUE(vmm_is_gone_within(std::chrono::seconds(5)));
}

TEST_F(SupervisorTest, WhatBangerdRefusesIsTheReasonOfTheFailure) {
    on_prepare = [] { throw Error(ErrorCode::DiskFull, "no room for the overlay"); };
    start();
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "start-failed");
    EXPECT_THAT(last_exit().at("message").get<std::string>(), HasSubstr("no room"));
}

TEST_F(SupervisorTest, AMissingDiskIsNamed) {
    machine.disks[0].path = root_ / "nowhere.ext4";
    start();
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "start-failed");
    EXPECT_THAT(last_exit().at("message").get<std::string>(), HasSubstr("nowhere.ext4"));
}

TEST_F(SupervisorTest, AVmmThatCannotRunIsAFailedStart) {
    machine.binary = "/usr/bin/false";
    start();
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "start-failed");
    EXPECT_THAT(last_exit().at("message").get<std::string>(), HasSubstr("status 1"));
}

TEST_F(SupervisorTest, StaysSmall) {
    start();
    wait_for_notification("READY=1");
    ControlClient client = connect();
    constexpr std::size_t size = 16U << 20U;
    EXPECT_EQ(read_to_end(exec(client, {"bytes", std::to_string(size)}).output.get()).size(), size);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(anonymous_kib(), 4096U);
#else
    GTEST_SKIP() << "a sanitizer's own memory is counted; the preset dev holds the bound";
#endif
}

TEST_F(SupervisorTest, BangerdMayGoWhileTheVmRuns) {
    start();
    wait_for_notification("READY=1");
    {
        ControlClient client = connect();
        client.send({{"id", 1}, {"op", "subscribe"}});
        client.receive_with("stage");
    }
    ControlClient again = connect();
    EXPECT_EQ(exec(again, {"exit", "3"}).control.receive_with("exit").at("exit"), 3);
}

} // namespace
} // namespace banger::supervisor
