#include "agent/channel/handshake.hpp"
#include "tests/unit/channel/pair.hpp"

#include <gtest/gtest.h>

namespace banger::channel {
namespace {

const std::string stale_hello = hello_line(std::string(32, 'b'));

TEST(Handshake, ConnectsBothSides) {
    Pair pair;
    pair.connect();
    EXPECT_TRUE(pair.client.connected());
    EXPECT_TRUE(pair.server.connected());
}

TEST(Handshake, SurvivesBytesOneByOne) {
    ChannelClient client{{}};
    ChannelServer server{{}};
    client.restart();
    for (int i = 0; i < 100000 && !(client.connected() && server.connected()); ++i) {
        if (const Bytes out = client.output(); !out.empty()) {
            const std::string one{as_text(out.first(1))};
            client.sent(1);
            server.receive(as_bytes(one));
        }
        if (const Bytes out = server.output(); !out.empty()) {
            const std::string one{as_text(out.first(1))};
            server.sent(1);
            client.receive(as_bytes(one));
        }
    }
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(server.connected());
}

TEST(Handshake, AgentIgnoresWhatADeadSessionLeft) {
    Pair pair;
    pair.server.receive(as_bytes("half a frame\0\1\2 banger-channel/1 0123banger-chan"));
    pair.connect();
    EXPECT_TRUE(pair.server.connected());
    EXPECT_TRUE(pair.client.connected());
}

TEST(Handshake, AgentAnswersAStaleHelloAndThenTheTrueOne) {
    Pair pair;
    pair.server.receive(as_bytes(stale_hello));
    pair.connect();
    EXPECT_TRUE(pair.client.connected());
    EXPECT_TRUE(pair.server.connected());
}

TEST(Handshake, AgentReturnsToListeningWhenRubbishFollowsAHello) {
    Pair pair;
    pair.server.receive(as_bytes(stale_hello + "PRI * HTTX"));
    pair.connect();
    EXPECT_TRUE(pair.server.connected());
    EXPECT_TRUE(pair.client.connected());
}

TEST(Handshake, HostIgnoresAnswersToOthersAndWhatPrecedesItsOwn) {
    Pair pair;
    pair.client.restart();
    pair.client.receive(as_bytes("rubbish" + stale_hello + "more"));
    EXPECT_FALSE(pair.client.connected());
    pair.run();
    EXPECT_TRUE(pair.client.connected());
}

TEST(Handshake, AgentThatMissedTheHangUpTakesANewSession) {
    Pair pair;
    pair.on_request = [](const Request &, const Stream &stream) { stream.respond(200); };
    pair.connect();
    Record old;
    const Stream stream = pair.client.start_request("POST", "/", {}, true, old.callbacks());
    stream.write("half of a request");
    // All but the last bytes arrive: a frame is cut.
    const std::string out{as_text(pair.client.output())};
    pair.server.receive(as_bytes(std::string_view{out}.substr(0, out.size() - 5)));

    pair.client.restart();
    EXPECT_EQ(old.reason, CloseReason::Lost);
    pair.run();
    EXPECT_TRUE(pair.client.connected());
    EXPECT_TRUE(pair.server.connected());
    EXPECT_NE(pair.server_lost, "");
}

TEST(Handshake, KeepsLessThanALineOfRubbish) {
    HandshakeServer handshake;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(handshake.feed(std::string(10000, 'b')).answer, "");
    }
    EXPECT_EQ(handshake.feed("\n" + stale_hello).answer, stale_hello);
}

} // namespace
} // namespace banger::channel
