#include "tests/integration/guest/shared_guest.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <list>

namespace banger::test {
namespace {

class GuestExec : public SharedGuest {
protected:
    static channel::ExecSpec sh(const std::string &script) {
        channel::ExecSpec spec;
        spec.argv = {"sh", "-c", script};
        spec.attach_stdout = true;
        spec.attach_stderr = true;
        return spec;
    }
    static bool wait_for(const std::function<bool()> &condition,
                         std::chrono::milliseconds timeout = 60000ms) {
        return guest_->channel().run_until(condition, timeout);
    }
    static std::string error_of(const RunningExec &exec) {
        const auto *error = exec.end() ? std::get_if<Error>(&*exec.end()) : nullptr;
        return error != nullptr ? error->what() : "";
    }
};

TEST_F(GuestExec, GivesStatusAndBothOutputs) {
    const auto result = guest_->sh("echo out; echo err >&2; exit 42");
    EXPECT_EQ(result.code, 42);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
}

TEST_F(GuestExec, RunsAsALoginOfTheUser) {
    EXPECT_EQ(guest_->sh("id -un; echo $HOME $USER $PWD").out, "root\n/root root /root\n");
    auto spec = sh("id -un; id -gn; echo $HOME; pwd; echo $EXTRA");
    spec.user = "nobody";
    spec.env = {"EXTRA=more words"};
    spec.cwd = "/tmp";
    const RunningExec exec(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }));
    EXPECT_EQ(exec.out, "nobody\nnogroup\n/nonexistent\n/tmp\nmore words\n");
}

TEST_F(GuestExec, SaysWhatCouldNotBeStarted) {
    auto spec = sh("true");
    spec.argv = {"no-such-program"};
    const RunningExec program(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return program.finished(); }));
    EXPECT_NE(error_of(program).find("no-such-program"), std::string::npos) << error_of(program);

    spec = sh("true");
    spec.cwd = "/no/such/directory";
    const RunningExec directory(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return directory.finished(); }));
    EXPECT_NE(error_of(directory).find("/no/such/directory"), std::string::npos);

    spec = sh("true");
    spec.user = "stranger";
    const RunningExec user(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return user.finished(); }));
    EXPECT_NE(error_of(user).find("stranger"), std::string::npos);
}

TEST_F(GuestExec, FeedsStdinWholeAndTellsItsEnd) {
    auto spec = sh("sha256sum");
    spec.attach_stdin = true;
    RunningExec exec(guest_->channel(), spec);
    constexpr std::size_t size = 16U << 20U;
    std::size_t given = 0;
    channel::StreamCallbacks source;
    source.on_pull = [&](std::span<std::byte> buffer) -> channel::Pulled {
        const std::size_t n = std::min(buffer.size(), size - given);
        std::fill_n(buffer.begin(), n, std::byte{0});
        given += n;
        return {n, given == size};
    };
    exec.stdin_stream().set_callbacks(std::move(source));
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }, 120000ms));
    // sha256 of 16 MiB of zeros
    EXPECT_EQ(exec.out, "080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e  -\n");
}

TEST_F(GuestExec, StreamsOutputWhole) {
    constexpr std::uint64_t size = 64U << 20U;
    auto spec = sh("head -c " + std::to_string(size) + " /dev/zero");
    RunningExec exec(guest_->channel(), spec);
    exec.keep_output = false;
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }, 180000ms));
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(exec.out_bytes, size);
    EXPECT_EQ(exec.code(), 0);
    std::cout << "64 MiB took " << took / 1ms << " ms\n";
}

TEST_F(GuestExec, AStalledReaderStopsNobodyElse) {
    constexpr std::uint64_t size = 8U << 20U;
    auto spec = sh("head -c " + std::to_string(size) + " /dev/zero; exit 3");
    RunningExec stalled(guest_->channel(), spec);
    stalled.stalled = true;
    stalled.keep_output = false;
    std::list<RunningExec> others;
    for (int i = 0; i < 7; ++i) {
        others.emplace_back(guest_->channel(), spec).keep_output = false;
    }
    ASSERT_TRUE(wait_for([&] {
        return std::all_of(others.begin(), others.end(),
                           [](const auto &exec) { return exec.finished(); });
    }));
    for (const auto &exec : others) {
        EXPECT_EQ(exec.out_bytes, size);
        EXPECT_EQ(exec.code(), 3);
    }
    EXPECT_FALSE(stalled.end());
    stalled.stalled = false;
    stalled.stdout_stream().resume_reading();
    ASSERT_TRUE(wait_for([&] { return stalled.finished(); }));
    EXPECT_EQ(stalled.out_bytes, size);
    EXPECT_EQ(stalled.code(), 3);
}

TEST_F(GuestExec, GivesATerminalThatFollowsItsWindow) {
    channel::ExecSpec spec;
    spec.argv = {"sh", "-c",
                 "stty size; echo $TERM; trap 'stty size; exit 7' WINCH; echo ready; "
                 "while :; do sleep 0.1; done"};
    spec.tty = channel::WindowSize{33, 111};
    spec.term = "xterm-256color";
    spec.attach_stdin = true;
    spec.attach_stdout = true;
    const RunningExec exec(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return exec.out.find("ready") != std::string::npos; }));
    EXPECT_NE(exec.out.find("33 111\r\nxterm-256color\r\n"), std::string::npos) << exec.out;
    exec.control(channel::WindowSize{44, 222});
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }));
    EXPECT_NE(exec.out.find("44 222"), std::string::npos) << exec.out;
    EXPECT_EQ(exec.code(), 7);
}

TEST_F(GuestExec, GivesALoginShellThatTakesCtrlCAndCtrlD) {
    channel::ExecSpec spec;
    spec.tty = channel::WindowSize{};
    spec.attach_stdin = true;
    spec.attach_stdout = true;
    const RunningExec exec(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return exec.out.find("# ") != std::string::npos; }));
    exec.write_stdin("shopt login_shell\n");
    ASSERT_TRUE(wait_for([&] { return exec.out.find("on\r\n") != std::string::npos; })) << exec.out;
    // Written by the foreground process itself, which Ctrl-C is to reach.
    exec.write_stdin("sh -c \"echo be''gun; exec sleep 1000\"\n");
    ASSERT_TRUE(wait_for([&] { return exec.out.find("begun") != std::string::npos; })) << exec.out;
    exec.write_stdin("\x03");
    // The terminal throws away what is typed before the signal; the prompt is back after it.
    ASSERT_TRUE(wait_for([&] { return exec.out.rfind("# ") > exec.out.rfind("begun"); }));
    exec.write_stdin("echo status $?\n");
    ASSERT_TRUE(wait_for([&] { return exec.out.find("status 130") != std::string::npos; }))
        << exec.out;
    exec.write_stdin("exit 5\n");
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }));
    EXPECT_EQ(exec.code(), 5);
}

TEST_F(GuestExec, DeliversSignalsAndTellsWhichOneEndedIt) {
    const RunningExec exec(guest_->channel(), sh("echo ready; exec sleep 1000"));
    ASSERT_TRUE(wait_for([&] { return exec.out == "ready\n"; }));
    exec.control(channel::SignalRequest{"USR1"});
    ASSERT_TRUE(wait_for([&] { return exec.finished(); }));
    const auto *signalled = std::get_if<channel::ExecSignalled>(&*exec.end());
    ASSERT_NE(signalled, nullptr);
    EXPECT_EQ(signalled->name, "USR1");
}

TEST_F(GuestExec, EndsWhatItsClientLeft) {
    RunningExec stubborn(guest_->channel(),
                         sh("trap '' HUP; (trap '' HUP; exec sleep 4242) & exec sleep 4242"));
    ASSERT_TRUE(wait_for([&] { return stubborn.started(); }));
    auto spec = sh("exec sleep 4343");
    spec.attach_stdout = spec.attach_stderr = false;
    spec.detach = true;
    const RunningExec detached(guest_->channel(), spec);
    ASSERT_TRUE(wait_for([&] { return detached.started(); }));

    stubborn.give_up();
    detached.give_up();
    const auto result = guest_->sh("count() { grep -lsaE \"$1\" /proc/[0-9]*/cmdline | wc -l; };"
                                   "for i in 1 2 3 4 5 6 7 8; do "
                                   "test $(count 'sleep.424[2]') = 0 && break; sleep 1; done;"
                                   "count 'sleep.424[2]'; count 'sleep.434[3]'");
    EXPECT_EQ(result.out, "0\n1\n");
}

TEST_F(GuestExec, HasACgroupOfItsOwn) {
    EXPECT_EQ(guest_->sh("cat /proc/self/cgroup").out.rfind("0::/banger/", 0), 0U);
}

TEST_F(GuestExec, UnpacksFilesAndRefusesEscapes) {
    ASSERT_EQ(guest_
                  ->sh("mkdir /tmp/in && cd /tmp/in && echo hello > 'a\nb' && ln -s /etc/passwd l"
                       " && mkdir d && echo x > d/x && chmod 755 d/x && chown -R nobody . &&"
                       " tar --format=pax -cf /tmp/good.tar . && "
                       "tar --format=pax -P -cf /tmp/bad.tar --transform 's,d/x,../../x,' d/x")
                  .code,
              0);
    const std::string good = guest_->sh("cat /tmp/good.tar").out;
    const Answer answer =
        guest_->channel().ask("PUT", "/v1/files", good, {{"banger-directory", "/root/repo"}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, R"({"bytes":8,"entries":4})");
    EXPECT_EQ(guest_->sh("cd /root/repo && cat 'a\nb' && readlink l && stat -c '%a %U' d/x").out,
              "hello\n/etc/passwd\n755 root\n");

    const std::string bad = guest_->sh("cat /tmp/bad.tar").out;
    const Answer refused =
        guest_->channel().ask("PUT", "/v1/files", bad, {{"banger-directory", "/root/repo"}});
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_EQ(guest_->sh("test -e /root/x || test -e /x").code, 1);
    EXPECT_EQ(guest_->channel()
                  .ask("PUT", "/v1/files", "no tar at all, not even nearly",
                       {{"banger-directory", "/root/repo"}})
                  .status,
              400);
}

} // namespace
} // namespace banger::test
