#include "tests/integration/guest/shared_guest.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <iostream>

namespace banger::test {
namespace {

using Kind = channel::Event::Kind;

/// Each test starts the same VM again.
class EndingGuest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        SharedGuest::end();
        machine_ = std::make_unique<GuestMachine>();
    }
    static void TearDownTestSuite() { machine_.reset(); }

    static std::unique_ptr<Guest> boot() {
        auto guest = std::make_unique<Guest>(*machine_);
        EXPECT_TRUE(guest->connect() && guest->wait_for_event(Kind::BootFinished))
            << guest->console();
        return guest;
    }
    static inline std::unique_ptr<GuestMachine> machine_;
};

channel::ExecSpec interactive(const char *script) {
    channel::ExecSpec spec;
    spec.argv = {"bash", "-c", script};
    spec.tty = channel::WindowSize{};
    spec.attach_stdin = true;
    spec.attach_stdout = true;
    return spec;
}

TEST_F(EndingGuest, StopsInTimeUnderAStubbornShellAndLosesNoWrite) {
    auto guest = boot();
    const RunningExec shell(
        guest->channel(),
        interactive("trap '' HUP TERM INT; (trap '' HUP TERM; while :; do sleep 1; done) & "
                    "while :; do sleep 1; done"));
    ASSERT_TRUE(guest->channel().run_until([&] { return shell.started(); }));
    ASSERT_EQ(guest->sh("echo precious > /root/kept; echo also > /etc/kept").code, 0);

    const auto begin = std::chrono::steady_clock::now();
    const Answer answer =
        guest->channel().ask("POST", "/v1/shutdown", R"({"kind":"stop","grace_ms":2000})");
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto status = guest->wait_for_end(30000ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_TRUE(status) << guest->console();
    EXPECT_EQ(WEXITSTATUS(*status), 0);
    EXPECT_LE(took, 15s);
    std::cout << "stop took " << took / 1ms << " ms\n";

    guest.reset();
    guest = boot();
    EXPECT_EQ(guest->sh("cat /root/kept /etc/kept").out, "precious\nalso\n");
    EXPECT_EQ(channel::parse_hello(guest->channel().ask("GET", "/v1/hello").body).boot_generation,
              2U);
    // The file systems were left clean.
    EXPECT_EQ(guest->sh("dmesg | grep -c 'recovery complete'").out, "0\n");

    // The same guest ends by its own will.
    guest->sh("systemctl --no-block poweroff");
    EXPECT_TRUE(guest->wait_for_end(40000ms)) << guest->console();
    EXPECT_EQ(guest->shutdown_kind(), "poweroff");
}

TEST_F(EndingGuest, TellsRebootAndHaltApart) {
    for (const std::string kind : {"reboot", "halt"}) {
        auto guest = boot();
        guest->sh("systemctl --no-block " + kind);
        EXPECT_TRUE(guest->wait_for_end(40000ms)) << guest->console();
        EXPECT_EQ(guest->shutdown_kind(), kind);
    }
}

TEST_F(EndingGuest, EndsWithoutAWordWhenItPanics) {
    auto guest = boot();
    guest->sh("echo c > /proc/sysrq-trigger", 1000ms);
    EXPECT_TRUE(guest->wait_for_end(20000ms)) << guest->console();
    EXPECT_EQ(guest->shutdown_kind(), "");
    EXPECT_NE(guest->console().find("Kernel panic"), std::string::npos);
}

} // namespace
} // namespace banger::test
