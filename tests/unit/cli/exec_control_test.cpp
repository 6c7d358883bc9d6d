#include "cli/exec_control.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>

namespace banger::cli {
namespace {

TEST(ExecEvent, ReadsHowAProgramEnded) {
    EXPECT_EQ(parse_exec_event(R"({"exit":42})").status, 42);
    EXPECT_EQ(parse_exec_event(R"({"signal":"KILL","core":false})").status, 137);
    EXPECT_EQ(parse_exec_event(R"({"exit":42})").kind, ExecEvent::Kind::Ended);
}

TEST(ExecEvent, WhatIsNewerThanThisProgramIsNoEnd) {
    EXPECT_EQ(parse_exec_event(R"({"started":{"pid":3}})").kind, ExecEvent::Kind::Other);
    EXPECT_EQ(parse_exec_event(R"({"paused":true})").kind, ExecEvent::Kind::Other);
    EXPECT_EQ(parse_exec_event(R"({"exit":"often"})").kind, ExecEvent::Kind::Other);
}

TEST(ExecEvent, FailuresKeepTheirKindAndCannotDriveTheTerminal) {
    const ExecEvent event =
        parse_exec_event(R"({"error":{"code":"NotFound","message":"no \u001b[31msuch"}})");
    EXPECT_EQ(event.kind, ExecEvent::Kind::Failed);
    EXPECT_EQ(event.code, ErrorCode::NotFound);
    EXPECT_EQ(event.message, "no \\x1b[31msuch");
    EXPECT_EQ(parse_exec_event(R"({"lost":"the VM ended"})").message,
              "the guest's program was lost: the VM ended");
}

TEST(ExecEvent, WhatIsNoObjectIsRefused) {
    EXPECT_THROW(parse_exec_event("[]"), Error);
    EXPECT_THROW(parse_exec_event("{\"exit\":"), Error);
}

TEST(ExecControl, SendsSignalsByName) {
    FdPair pair = make_socket_pair(SOCK_SEQPACKET);
    ExecControl control{std::move(pair.first)};
    control.signal(SIGINT);
    control.resize({40, 120});
    char buffer[128];
    ssize_t n = ::recv(pair.second.get(), buffer, sizeof buffer, 0);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(n)), R"({"signal":"INT"})");
    n = ::recv(pair.second.get(), buffer, sizeof buffer, 0);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(n)),
              R"({"winch":{"cols":120,"rows":40}})");
}

} // namespace
} // namespace banger::cli
