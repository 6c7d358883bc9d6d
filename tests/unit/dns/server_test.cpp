#include "base/error.hpp"
#include "loopback_net.hpp"
#include "resolved/answer.hpp"
#include "resolved/server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>

namespace banger::test {
namespace {

using namespace std::chrono_literals;
using resolved::Server;
using resolved::ServerOptions;
using resolved::Zone;

class ServerTest : public testing::Test {
protected:
    void SetUp() override {
        if (const auto problem = enter_own_network(); !problem.empty()) {
            GTEST_SKIP() << problem;
        }
        zone_.set_network("vm", Ipv4::parse(bridge_address));
        zone_.set(VmName{"sandbox"}, Ipv4::parse(guest_address), false);
    }

    void serve(ServerOptions options = {}) {
        server_ = std::make_unique<Server>(loop_, zone_, std::move(options));
        UniqueFd udp = bind_socket(SOCK_DGRAM, "0.0.0.0");
        port_ = port_of(udp.get());
        UniqueFd tcp = bind_socket(SOCK_STREAM, "0.0.0.0", port_);
        ASSERT_EQ(listen(tcp.get(), 64), 0);
        udp_id_ = server_->add_socket(std::move(udp));
        tcp_id_ = server_->add_socket(std::move(tcp));
    }

    Message ask(const std::string &from, const Ask &query) {
        UdpClient client{loop_, from};
        client.send(query.wire(), bridge_address, port_);
        const auto reply = client.receive();
        return reply ? Message::read(*reply) : Message{};
    }

    TcpClient connect(const std::string &from) {
        return TcpClient{loop_, from, bridge_address, port_};
    }

    EventLoop loop_;
    Zone zone_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
    Server::SocketId udp_id_ = 0;
    Server::SocketId tcp_id_ = 0;
};

TEST_F(ServerTest, HostAndGuestsGetNamesByUdp) {
    serve();
    for (const auto *client : {"127.0.0.1", bridge_address, guest_address}) {
        const Message message = ask(client, {"sandbox.vm"});
        ASSERT_EQ(message.answers.size(), 1U) << client;
        EXPECT_EQ(message.answers[0].data, guest_address);
    }
}

TEST_F(ServerTest, AStrangerIsRefused) {
    serve();
    const Message message = ask(stranger_address, {"sandbox.vm"});
    EXPECT_TRUE(message.is_response);
    EXPECT_EQ(message.rcode, refused);
}

TEST_F(ServerTest, AGuestWithoutNatIsRefusedAtOnceForTheOutside) {
    serve();
    EXPECT_EQ(ask(guest_address, {"example.com"}).rcode, refused);
}

TEST_F(ServerTest, TheReplyComesFromTheAddressThatWasAsked) {
    serve();
    UdpClient client{loop_, guest_address};
    for (const auto *server : {bridge_address, "172.16.5.200", "127.0.0.1"}) {
        UdpClient from_host{loop_, "0.0.0.0"};
        from_host.send(Ask{"sandbox.vm"}.wire(), server, port_);
        ASSERT_TRUE(from_host.receive());
        EXPECT_EQ(from_host.sender(), server);
    }
}

TEST_F(ServerTest, ARecordThatComesAndGoesIsSeenAtOnce) {
    serve();
    EXPECT_EQ(ask("127.0.0.1", {"web.vm"}).rcode, nxdomain);
    zone_.set(VmName{"web"}, Ipv4::parse("172.16.5.8"), false);
    EXPECT_EQ(ask("127.0.0.1", {"web.vm"}).answers.size(), 1U);
    zone_.remove(VmName{"web"});
    EXPECT_EQ(ask("127.0.0.1", {"web.vm"}).rcode, nxdomain);
}

TEST_F(ServerTest, GarbageByUdpHarmsNobody) {
    serve();
    UdpClient client{loop_, guest_address};
    client.send(Bytes{}, bridge_address, port_);
    client.send(Bytes(5, 0xff), bridge_address, port_);
    client.send(Bytes(60'000, 0x00), bridge_address, port_);
    Bytes response = Ask{"sandbox.vm"}.wire();
    response[2] |= 0x80U;
    client.send(response, bridge_address, port_);
    EXPECT_FALSE(client.receive(100ms)) << "none of these is a query";
    EXPECT_EQ(ask(guest_address, {"sandbox.vm"}).answers.size(), 1U);
}

TEST_F(ServerTest, TcpAnswersManyQueriesOfOneConnection) {
    serve();
    TcpClient client = connect(guest_address);
    for (std::uint16_t id = 0; id < 300; ++id) {
        client.send(Ask{.name = "sandbox.vm", .id = id}.wire());
    }
    std::set<std::uint16_t> answered;
    for (int i = 0; i < 300; ++i) {
        const auto reply = client.receive();
        ASSERT_TRUE(reply) << i;
        const Message message = Message::read(*reply);
        EXPECT_EQ(message.answers.size(), 1U);
        answered.insert(message.id);
    }
    EXPECT_EQ(answered.size(), 300U);
}

TEST_F(ServerTest, TcpTakesAQueryInPieces) {
    serve();
    TcpClient client = connect(guest_address);
    const Bytes query = Ask{"sandbox.vm"}.wire();
    client.send_raw({0});
    EXPECT_FALSE(client.receive(10ms));
    client.send_raw({static_cast<std::uint8_t>(query.size()), query[0]});
    EXPECT_FALSE(client.receive(10ms));
    client.send_raw({query.begin() + 1, query.end()});
    EXPECT_TRUE(client.receive());
}

TEST_F(ServerTest, TcpAnswersAClientThatHasSaidAll) {
    serve();
    TcpClient client = connect(guest_address);
    client.send(Ask{"sandbox.vm"}.wire());
    client.finish();
    EXPECT_TRUE(client.receive());
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, TcpEndsAConnectionThatTalksNonsense) {
    serve();
    TcpClient too_long = connect(guest_address);
    too_long.send_raw({0xff, 0xff});
    EXPECT_TRUE(too_long.is_closed());
    TcpClient too_short = connect(guest_address);
    too_short.send_raw({0x00, 0x00});
    EXPECT_TRUE(too_short.is_closed());
}

TEST_F(ServerTest, TcpEndsAConnectionThatIsIdleOrSlow) {
    serve({.tcp_idle = 100ms});
    TcpClient idle = connect(guest_address);
    TcpClient slow = connect(guest_address);
    slow.send_raw({0});
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(slow.is_closed());
}

TEST_F(ServerTest, AClientThatReadsNothingHoldsUpNobodyAndIsEnded) {
    serve({.tcp_idle = 300ms});
    TcpClient stuffed = connect(guest_address);
    // More answers than all buffers between the two ends hold.
    stuffed.flood(Ask{"sandbox.vm"}.wire());
    TcpClient other = connect(guest_address);
    other.send(Ask{"sandbox.vm"}.wire());
    EXPECT_TRUE(other.receive());
    EXPECT_TRUE(stuffed.is_cut_off());
}

TEST_F(ServerTest, ConnectionsAreBoundedByClientAndInAll) {
    serve({.max_tcp_connections = 3, .max_tcp_connections_per_client = 2});
    TcpClient first = connect(guest_address);
    TcpClient second = connect(guest_address);
    TcpClient third = connect(guest_address);
    EXPECT_TRUE(third.is_closed()) << "one guest";
    TcpClient another = connect(nat_guest_address);
    another.send(Ask{"sandbox.vm"}.wire());
    EXPECT_TRUE(another.receive()) << "another guest";
    TcpClient last = connect("127.0.0.1");
    EXPECT_TRUE(last.is_closed()) << "all together";
    first.send(Ask{"sandbox.vm"}.wire());
    EXPECT_TRUE(first.receive());
    { TcpClient gone = std::move(second); }
    ASSERT_TRUE(run_until(loop_, [&] {
        TcpClient again = connect(guest_address);
        again.send(Ask{"sandbox.vm"}.wire());
        return again.receive(50ms).has_value();
    })) << "a place that was given back is free";
}

TEST_F(ServerTest, ARemovedSocketIsClosedWithItsConnections) {
    serve();
    TcpClient client = connect(guest_address);
    client.send(Ask{"sandbox.vm"}.wire());
    ASSERT_TRUE(client.receive());
    server_->remove_socket(tcp_id_);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(ask("127.0.0.1", {"sandbox.vm"}).answers.size(), 1U) << "the other one stays";
    server_->remove_socket(udp_id_);
    server_->remove_socket(udp_id_);
    const UniqueFd again = bind_socket(SOCK_DGRAM, "0.0.0.0", port_);
}

TEST_F(ServerTest, RefusesASocketThatItCannotServe) {
    serve();
    EXPECT_THROW(server_->add_socket(bind_socket(SOCK_STREAM, "127.0.0.1")), Error)
        << "does not listen";
    EXPECT_THROW(server_->add_socket(make_pipe().first), Error);
    EXPECT_THROW(server_->add_socket(make_socket_pair(SOCK_STREAM).first), Error);
    EXPECT_THROW(server_->add_socket(UniqueFd{}), Error);
}

} // namespace
} // namespace banger::test
