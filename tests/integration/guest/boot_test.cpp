#include "tests/integration/guest/shared_guest.hpp"

#include <gtest/gtest.h>

namespace banger::test {
namespace {

using Kind = channel::Event::Kind;

using RunningGuest = SharedGuest;

TEST_F(RunningGuest, SaysHello) {
    const Answer answer = guest_->channel().ask("GET", "/v1/hello");
    ASSERT_EQ(answer.status, 200);
    const channel::Hello hello = channel::parse_hello(answer.body);
    EXPECT_EQ(hello.version, channel::protocol_version);
    EXPECT_EQ(hello.boot_generation, 1U);
    EXPECT_EQ(hello.init, "systemd");
    EXPECT_EQ(hello.boot_id.size(), 36U);
    EXPECT_NE(hello.kernel, "");
}

TEST_F(RunningGuest, TellsThatLoginsArePossibleAndThatTheBootIsThrough) {
    EXPECT_TRUE(guest_->wait_for_event(Kind::LoginReady)) << guest_->console();
    EXPECT_TRUE(guest_->wait_for_event(Kind::BootFinished)) << guest_->console();
    EXPECT_EQ(guest_->sh("systemctl is-system-running").out, "running\n")
        << guest_->sh("systemctl --failed").out;
}

TEST_F(RunningGuest, IsWhatItsIdentitySays) {
    EXPECT_EQ(guest_->sh("hostname").out, "sandbox\n");
    EXPECT_EQ(guest_->sh("hostname -f").out, "sandbox.vm\n");
    EXPECT_EQ(guest_->sh("cat /etc/machine-id").out, machine_->identity.machine_id + "\n");
    EXPECT_NE(guest_->sh("ip -4 addr show eth0").out.find("10.0.2.15/24"), std::string::npos);
    EXPECT_NE(guest_->sh("ip route").out.find("default via 10.0.2.2 dev eth0"), std::string::npos);
    EXPECT_NE(guest_->sh("cat /etc/resolv.conf").out.find("nameserver 10.0.2.3"),
              std::string::npos);
    EXPECT_EQ(guest_->sh("stat -c '%a %U' /root /root/.ssh").out, "755 root\n700 root\n");
    EXPECT_NE(guest_->sh("cat /root/.gitconfig").out.find("Somebody"), std::string::npos);
    EXPECT_EQ(guest_->sh("sshd -T | grep -i ^passwordauthentication").out,
              "passwordauthentication no\n");
}

TEST_F(RunningGuest, HasItsDisksWhereTheyBelong) {
    EXPECT_EQ(guest_
                  ->sh("findmnt -no FSTYPE /; findmnt -no FSTYPE /root;"
                       " findmnt -no FSTYPE /var/lib/docker")
                  .out,
              "overlay\next4\next4\n");
    // What the image has in /root is in the work disk.
    EXPECT_EQ(guest_->sh("test -f /root/.bashrc && ls -A /root | grep -c lost").out, "0\n");
    EXPECT_EQ(guest_->sh("test -f /lib/modules/$(uname -r)/modules.dep").code, 0);
}

TEST_F(RunningGuest, HasNoAppArmorWithoutItsParser) {
    EXPECT_EQ(guest_->sh("cat /sys/module/apparmor/parameters/enabled").out, "N\n");
}

TEST_F(RunningGuest, KeepsItsClock) {
    const auto guest = std::stoll(guest_->sh("date +%s").out);
    const auto host = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
    EXPECT_NEAR(static_cast<double>(guest), static_cast<double>(host), 3.0);
}

TEST_F(RunningGuest, TakesANewIdentityLive) {
    identity::Identity changed = machine_->identity;
    changed.hostname = "renamed";
    changed.authorized_keys = {"ssh-ed25519 AAAA somebody"};
    changed.address = "10.0.2.16";
    const Answer answer = guest_->channel().ask("POST", "/v1/identity", identity::to_json(changed));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, R"({"warnings":[]})");
    EXPECT_EQ(guest_->sh("hostname").out, "renamed\n");
    EXPECT_NE(guest_->sh("ip -4 addr show eth0").out.find("10.0.2.16/24"), std::string::npos);
    EXPECT_EQ(guest_->sh("ip -4 addr show eth0").out.find("10.0.2.15"), std::string::npos);
    EXPECT_NE(guest_->sh("ip route").out.find("default via 10.0.2.2"), std::string::npos);
    EXPECT_NE(guest_->sh("cat /root/.ssh/authorized_keys").out.find("AAAA somebody"),
              std::string::npos);
    EXPECT_EQ(
        guest_->channel().ask("POST", "/v1/identity", identity::to_json(machine_->identity)).status,
        200);
    EXPECT_EQ(guest_->channel().ask("POST", "/v1/identity", "{}").status, 400);
}

TEST_F(RunningGuest, ConnectsStreamsToItsPorts) {
    ASSERT_TRUE(guest_->wait_for_event(Kind::LoginReady));
    std::string got;
    bool closed = false;
    channel::StreamCallbacks callbacks;
    callbacks.on_data = [&](channel::Bytes data) {
        got += channel::as_text(data);
        return data.size();
    };
    callbacks.on_close = [&](channel::CloseReason) { closed = true; };
    const auto stream = guest_->channel().client().start_request(
        "POST", "/v1/streams", {{"banger-target", "tcp:22"}}, true, callbacks);
    EXPECT_TRUE(guest_->channel().run_until(
        [&] { return got.find("SSH-2.0-OpenSSH") != std::string::npos; }));
    stream.end();
    EXPECT_TRUE(guest_->channel().run_until([&] { return closed; }));

    EXPECT_EQ(guest_->channel().ask("POST", "/v1/streams", "", {{"banger-target", "tcp:1"}}).status,
              404);
    EXPECT_EQ(guest_->channel()
                  .ask("POST", "/v1/streams", "", {{"banger-target", "unix:/run/nobody"}})
                  .status,
              404);
    EXPECT_EQ(guest_->channel().ask("POST", "/v1/streams").status, 400);
}

TEST_F(RunningGuest, TakesANewSessionAfterTheTransportBroke) {
    channel::ExecSpec spec;
    spec.argv = {"sh", "-c", "cat /dev/zero"};
    spec.attach_stdout = true;
    auto flood = std::make_unique<RunningExec>(guest_->channel(), spec);
    flood->keep_output = false;
    ASSERT_TRUE(guest_->channel().run_until([&] { return flood->out_bytes > 1000000; }));
    const auto pid = flood->pid();
    flood.reset();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(guest_->reconnect()) << guest_->console();
        EXPECT_EQ(guest_->sh("echo again").out, "again\n");
    }
    // What the lost client had started is gone after its grace.
    EXPECT_EQ(guest_
                  ->sh("for i in 1 2 3 4 5 6 7 8; do test -d /proc/" + std::to_string(pid) +
                       " || exit 0; sleep 1; done; exit 1")
                  .code,
              0);
}

TEST_F(RunningGuest, AnswersWhatItDoesNotKnowWithAnError) {
    const Answer answer = guest_->channel().ask("GET", "/v1/tea");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(channel::parse_error(answer.body).code(), ErrorCode::NotFound);
}

} // namespace
} // namespace banger::test
