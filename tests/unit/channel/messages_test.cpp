#include "agent/channel/messages.hpp"

#include <gtest/gtest.h>

namespace banger::channel {
namespace {

TEST(ExecSpec, ComesBackAsItWasSent) {
    ExecSpec spec;
    spec.argv = {"sh", "-c", "echo \"ü\" 'x\ny'"};
    spec.env = {"A=b"};
    spec.cwd = "/tmp";
    spec.user = "nobody:nogroup";
    spec.tty = WindowSize{40, 120};
    spec.term = "xterm";
    spec.attach_stdin = true;
    spec.detach = true;
    const ExecSpec again = parse_exec_spec(to_json(spec));
    EXPECT_EQ(again.argv, spec.argv);
    EXPECT_EQ(again.env, spec.env);
    EXPECT_EQ(again.cwd, spec.cwd);
    EXPECT_EQ(again.user, spec.user);
    ASSERT_TRUE(again.tty);
    EXPECT_EQ(again.tty->rows, 40);
    EXPECT_EQ(again.tty->columns, 120);
    EXPECT_EQ(again.term, "xterm");
    EXPECT_TRUE(again.attach_stdin);
    EXPECT_FALSE(again.attach_stdout);
    EXPECT_TRUE(again.detach);
}

TEST(ExecSpec, IgnoresWhatANewerHostAdds) {
    EXPECT_EQ(parse_exec_spec(R"({"argv":["true"],"colour":"blue"})").argv.size(), 1U);
}

TEST(ExecSpec, NamesTheFieldThatIsWrong) {
    for (const auto &[text, field] : std::vector<std::pair<std::string, std::string>>{
             {R"({"argv":"true"})", "argv"},
             {R"({"argv":[1]})", "argv"},
             {R"({"argv":[],"stdin":1})", "stdin"},
             {R"({"argv":[],"tty":7})", "tty"},
             {R"({"argv":[],"tty":{"rows":70000,"cols":1}})", "rows"},
             {"[]", "object"},
             {"{", "object"},
             {"{\"argv\":[\"a\\u0000b\"]}", "null byte"}}) {
        try {
            parse_exec_spec(text);
            ADD_FAILURE() << text << " was accepted";
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
            EXPECT_NE(std::string(error.what()).find(field), std::string::npos) << error.what();
        }
    }
}

TEST(ExecControl, HasThreeForms) {
    EXPECT_EQ(std::get<WindowSize>(parse_exec_control(to_json(WindowSize{1, 2}))).columns, 2);
    EXPECT_EQ(std::get<SignalRequest>(parse_exec_control(to_json(SignalRequest{"INT"}))).name,
              "INT");
    EXPECT_TRUE(std::holds_alternative<EndOfInput>(parse_exec_control(to_json(EndOfInput{}))));
    EXPECT_THROW(parse_exec_control("{}"), Error);
}

TEST(ExecReport, HasFourForms) {
    EXPECT_EQ(std::get<ExecStarted>(parse_exec_report(to_json(ExecStarted{7}))).pid, 7);
    EXPECT_EQ(std::get<ExecExited>(parse_exec_report(to_json(ExecExited{42}))).code, 42);
    EXPECT_EQ(std::get<ExecSignalled>(parse_exec_report(to_json(ExecSignalled{"KILL", true}))).name,
              "KILL");
    const auto error = std::get<Error>(
        parse_exec_report(to_json(ExecReport{Error(ErrorCode::NotFound, "no such program")})));
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_STREQ(error.what(), "no such program");
}

TEST(Event, ComesBackAsItWasSent) {
    for (const auto kind : {Event::Kind::LoginReady, Event::Kind::BootFinished, Event::Kind::Status,
                            Event::Kind::Shutdown}) {
        EXPECT_EQ(parse_event(to_json(Event{kind, "reboot"})).kind, kind);
    }
    EXPECT_EQ(parse_event(to_json(Event{Event::Kind::Shutdown, "reboot"})).text, "reboot");
    EXPECT_THROW(parse_event(R"({"event":"tea-time"})"), Error);
}

TEST(ErrorMessage, TakesAnythingThatAGuestMaySay) {
    EXPECT_EQ(parse_error("<html>").code(), ErrorCode::Internal);
    EXPECT_EQ(parse_error(R"({"code":7,"message":"x"})").code(), ErrorCode::Internal);
    EXPECT_LT(std::string(parse_error(std::string(100000, 'x')).what()).size(), 300U);
}

TEST(LineSplitter, CutsAcrossPiecesAndRefusesEndlessLines) {
    std::vector<std::string> lines;
    LineSplitter splitter(10);
    const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
    splitter.feed("on", keep);
    splitter.feed("e\ntwo\n\nth", keep);
    splitter.feed("ree\n", keep);
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "three"}));
    EXPECT_THROW(splitter.feed(std::string(11, 'x'), keep), Error);
}

} // namespace
} // namespace banger::channel
