#include "tests/integration/supervisor/harness.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace banger::supervisor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ExecTest : public SupervisorTest {
protected:
    ExecTest() {
        start();
        wait_for_notification("READY=1");
        client.emplace(connect());
    }

    std::optional<ControlClient> client;
};

TEST_F(ExecTest, ReportsTheStartAndTheExitStatus) {
    RunningExec program = exec(*client, {"exit", "42"});
    EXPECT_EQ(program.control.receive(), (json{{"started", {{"pid", 42}}}}));
    EXPECT_EQ(program.control.receive(), (json{{"exit", 42}}));
    EXPECT_TRUE(program.control.receive().is_null());
    EXPECT_EQ(read_to_end(program.output.get()), "");
}

TEST_F(ExecTest, StandardInputGoesInAndStandardOutputComesOut) {
    RunningExec program = exec(*client, {"cat"});
    const std::string text(300'000, 'q');
    std::thread writer([&] {
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(program.input.get(), text.data() + done, text.size() - done);
            done += static_cast<std::size_t>(n);
        }
        program.input.reset();
    });
    EXPECT_EQ(read_to_end(program.output.get()), text);
    writer.join();
    EXPECT_EQ(program.control.receive_with("exit"), (json{{"exit", 0}}));
}

TEST_F(ExecTest, ASignalIsPassedOnAndReported) {
    RunningExec program = exec(*client, {"wait"});
    program.control.receive_with("started");
    program.control.send({{"signal", "INT"}});
    EXPECT_EQ(program.control.receive_with("signal").at("signal"), "INT");
}

TEST_F(ExecTest, AProgramThatIsNotThereIsAnErrorWithItsKind) {
    RunningExec program = exec(*client, {"nonsense"});
    EXPECT_EQ(program.control.receive_with("error").at("error").at("code"), "NotFound");
}

TEST_F(ExecTest, TheEndOfTheVmIsALossNotAnEnd) {
    RunningExec program = exec(*client, {"wait"});
    program.control.receive_with("started");
    end_guest("panic");
    EXPECT_TRUE(program.control.receive_with("lost").contains("lost"));
    EXPECT_EQ(read_to_end(program.output.get()), "");
}

TEST_F(ExecTest, AStalledReaderStopsOnlyItself) {
    constexpr std::size_t size = 64U << 20U;
    RunningExec stalled = exec(*client, {"bytes", std::to_string(size)});
    stalled.control.receive_with("started");
    RunningExec other = exec(*client, {"bytes", std::to_string(size)});
    EXPECT_EQ(read_to_end(other.output.get()).size(), size);
    EXPECT_EQ(other.control.receive_with("exit").at("exit"), 0);
    EXPECT_EQ(read_to_end(stalled.output.get()).size(), size);
    EXPECT_EQ(stalled.control.receive_with("exit").at("exit"), 0);
}

TEST_F(ExecTest, AStreamGoesOnWithoutWhoAskedForIt) {
    constexpr std::size_t size = 16U << 20U;
    RunningExec program = exec(*client, {"bytes", std::to_string(size)});
    client.reset();
    EXPECT_EQ(read_to_end(program.output.get()).size(), size);
    EXPECT_EQ(program.control.receive_with("exit").at("exit"), 0);
}

TEST_F(ExecTest, AConnectionIntoTheGuestCarriesBothDirections) {
    client->send({{"id", 1}, {"op", "open"}, {"target", "tcp:7"}});
    ASSERT_EQ(client->receive(), (json{{"id", 1}, {"ok", true}}));
    auto descriptors = client->take_descriptors();
    ASSERT_EQ(descriptors.size(), 1U);
    ASSERT_EQ(::write(descriptors[0].get(), "ping", 4), 4);
    ::shutdown(descriptors[0].get(), SHUT_WR);
    EXPECT_EQ(read_to_end(descriptors[0].get()), "ping");
}

TEST_F(ExecTest, ARefusedConnectionIsAnErrorWithItsKind) {
    client->send({{"id", 9}, {"op", "open"}, {"target", "tcp:9"}});
    const json answer = client->receive();
    EXPECT_EQ(answer.at("id"), 9);
    EXPECT_EQ(answer.at("error").at("code"), "NotFound");
}

TEST_F(ExecTest, FilesAreCountedAtTheirEnd) {
    FdPair tar = make_pipe();
    client->send({{"id", 4}, {"op", "put-files"}, {"directory", "/root/repo"}}, {tar.first.get()});
    tar.first.reset();
    ASSERT_EQ(::write(tar.second.get(), "12345", 5), 5);
    tar.second.reset();
    EXPECT_EQ(client->receive(), (json{{"id", 4}, {"ok", true}, {"entries", 1}, {"bytes", 5}}));
}

TEST_F(ExecTest, AnIdentityIsPassedOn) {
    client->send({{"id", 5}, {"op", "identity"}, {"identity", {{"hostname", "sandbox"}}}});
    EXPECT_EQ(client->receive(), (json{{"id", 5}, {"ok", true}}));
}

TEST_F(ExecTest, BadRequestsGetOneErrorEachAndHarmNothing) {
    client->send({{"id", 1}, {"op", "fly"}});
    EXPECT_EQ(client->receive().at("error").at("code"), "Unsupported");
    client->send({{"id", 2}, {"op", "exec"}, {"argv", {"exit", "0"}}, {"streams", {"stdout"}}});
    EXPECT_THAT(client->receive().at("error").at("message").get<std::string>(),
                HasSubstr("0 descriptors, not 1"));
    client->send(json::array());
    EXPECT_EQ(client->receive().at("error").at("code"), "InvalidArgument");
    EXPECT_EQ(exec(*client, {"exit", "0"}).control.receive_with("exit").at("exit"), 0);
}

} // namespace
} // namespace banger::supervisor
