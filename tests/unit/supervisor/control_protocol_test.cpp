#include "daemon/supervisor/control_protocol.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace banger::supervisor {
namespace {

using nlohmann::json;

ErrorCode refusal_of(const std::string &text) {
    try {
        parse_operation(text);
    } catch (const Error &e) {
        return e.code();
    }
    return ErrorCode::Internal;
}

TEST(ControlProtocol, ReadsAnExecWithItsStreamsInOrder) {
    const auto operation = parse_operation(
        R"({"id":2,"op":"exec","argv":["sh","-c","true"],"env":["A=b"],"cwd":"/","user":"alice",
            "tty":{"rows":40,"cols":120,"term":"xterm"},"detach":true,"streams":["stdout","stdin"]})");
    const auto &request = std::get<ExecRequest>(operation);
    EXPECT_EQ(request.streams, (std::vector<std::string>{"stdout", "stdin"}));
    EXPECT_EQ(request.spec.argv.size(), 3U);
    EXPECT_EQ(request.spec.user, "alice");
    EXPECT_EQ(request.spec.tty->columns, 120);
    EXPECT_TRUE(request.spec.detach);
}

TEST(ControlProtocol, RefusesWhatItDoesNotUnderstand) {
    EXPECT_EQ(refusal_of("nonsense"), ErrorCode::InvalidArgument);
    EXPECT_EQ(refusal_of(R"({"op":"subscribe"})"), ErrorCode::InvalidArgument);
    EXPECT_EQ(refusal_of(R"({"id":1,"op":"fly"})"), ErrorCode::Unsupported);
    EXPECT_EQ(refusal_of(R"({"id":1,"op":"open"})"), ErrorCode::InvalidArgument);
    EXPECT_EQ(refusal_of(R"({"id":1,"op":"identity","identity":[]})"), ErrorCode::InvalidArgument);
    EXPECT_EQ(refusal_of(R"({"id":1,"op":"exec","argv":["a"],"streams":["stdin","stdin"]})"),
              ErrorCode::InvalidArgument);
    EXPECT_EQ(refusal_of(R"({"id":1,"op":"exec","argv":["a"],"streams":["fd9"]})"),
              ErrorCode::InvalidArgument);
}

TEST(ControlProtocol, TheIdOfABadRequestIsStillKnown) {
    EXPECT_EQ(request_id(R"({"id":7,"op":12})"), 7U);
    EXPECT_EQ(request_id("[7]"), 0U);
    EXPECT_EQ(request_id(R"({"id":-7})"), 0U);
}

TEST(ControlProtocol, TellsTheStateInTheDocumentedForm) {
    const MachineState state{.stage = Stage::AgentReady,
                             .login_ready = true,
                             .boot_finished = false,
                             .status = "Running",
                             .timings = {{"vmm-started", 1200}}};
    EXPECT_EQ(json::parse(state_packet(state)),
              json::parse(R"({"event":"state","stage":"agent-ready","login_ready":true,
                  "boot_finished":false,"status":"Running","timings":[["vmm-started",1200]]})"));
}

TEST(ControlProtocol, AGuestsStatusMayHoldAnyBytes) {
    MachineState state;
    state.status = "\xff\xfe";
    EXPECT_TRUE(json::accept(state_packet(state)));
}

TEST(ControlProtocol, ErrorsCarryTheirKind) {
    EXPECT_EQ(json::parse(error_packet(3, Error(ErrorCode::NotFound, "no such port"))),
              json::parse(R"({"id":3,"error":{"code":"NotFound","message":"no such port"}})"));
}

} // namespace
} // namespace banger::supervisor
