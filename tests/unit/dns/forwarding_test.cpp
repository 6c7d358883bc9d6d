#include "base/files.hpp"
#include "loopback_net.hpp"
#include "resolved/server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <set>

namespace banger::test {
namespace {

using namespace std::chrono_literals;
using resolved::Server;
using resolved::ServerOptions;
using resolved::Zone;
namespace fs = std::filesystem;

Bytes good(const Bytes &query) {
    return reply_to(query, noerror, {"192.0.2.80"});
}
Bytes silent(const Bytes &) {
    return {};
}

// A guest with NAT at the server under test, and resolvers beyond it on 127.0.0.53 and .54.
class ForwardingTest : public testing::Test {
protected:
    static constexpr std::uint16_t upstream_port = 5300;

    void SetUp() override {
        if (const auto problem = enter_own_network(); !problem.empty()) {
            GTEST_SKIP() << problem;
        }
        std::string pattern = (fs::temp_directory_path() / "banger-test-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        set_resolvers({"127.0.0.53"});
        zone_.set_network("vm", Ipv4::parse(bridge_address));
        zone_.set(VmName{"sandbox"}, Ipv4::parse(guest_address), false);
        zone_.set(VmName{"natted"}, Ipv4::parse(nat_guest_address), true);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void set_resolvers(const std::vector<std::string> &addresses) const {
        std::string text;
        for (const auto &address : addresses) {
            text += "nameserver " + address + "\n";
        }
        write_file_atomically(folder_ / "resolv.conf", text);
    }

    void serve(ServerOptions options = {}) {
        options.resolv_conf = folder_ / "resolv.conf";
        options.upstream_port = upstream_port;
        server_ = std::make_unique<Server>(loop_, zone_, std::move(options));
        UniqueFd udp = bind_socket(SOCK_DGRAM, bridge_address);
        port_ = port_of(udp.get());
        UniqueFd tcp = bind_socket(SOCK_STREAM, bridge_address, port_);
        ASSERT_EQ(listen(tcp.get(), 16), 0);
        udp_id_ = server_->add_socket(std::move(udp));
        server_->add_socket(std::move(tcp));
    }

    Upstream upstream(Upstream::Behaviour behaviour, const std::string &address = "127.0.0.53") {
        return Upstream{loop_, address, upstream_port, std::move(behaviour)};
    }

    std::optional<Bytes> ask_raw(const Ask &query) {
        UdpClient client{loop_, nat_guest_address};
        client.send(query.wire(), bridge_address, port_);
        return client.receive();
    }

    Message ask(const Ask &query) {
        const auto reply = ask_raw(query);
        EXPECT_TRUE(reply);
        Message message = reply ? Message::read(*reply) : Message{};
        EXPECT_EQ(message.id, query.id);
        EXPECT_EQ(message.question, query.name);
        return message;
    }

    EventLoop loop_;
    Zone zone_;
    fs::path folder_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
    Server::SocketId udp_id_ = 0;
};

TEST_F(ForwardingTest, AGuestWithNatHearsWhatTheHostsResolverSays) {
    serve();
    auto resolver = upstream(good);
    const Message message = ask({"example.com"});
    EXPECT_EQ(message.rcode, noerror);
    EXPECT_FALSE(message.authoritative);
    EXPECT_TRUE(message.recursion_available);
    ASSERT_EQ(message.answers.size(), 1U);
    EXPECT_EQ(message.answers[0].data, "192.0.2.80");
    EXPECT_FALSE(resolver.asked().at(0).tcp);
}

TEST_F(ForwardingTest, NamesOfVmsAndTheirAddressesAreNeverForwarded) {
    serve();
    auto resolver = upstream(good);
    EXPECT_EQ(ask({"sandbox.vm"}).answers.at(0).data, guest_address);
    EXPECT_EQ(ask({"nobody.vm"}).rcode, nxdomain);
    EXPECT_EQ(ask({"99.5.16.172.in-addr.arpa", type_ptr}).rcode, nxdomain);
    EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(ForwardingTest, NobodyElseGetsForwarded) {
    serve();
    auto resolver = upstream(good);
    for (const auto *from : {guest_address, bridge_address, "127.0.0.1", stranger_address}) {
        UdpClient client{loop_, from};
        client.send(Ask{"example.com"}.wire(), bridge_address, port_);
        const auto reply = client.receive();
        ASSERT_TRUE(reply);
        EXPECT_EQ(Message::read(*reply).rcode, refused) << from;
    }
    EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(ForwardingTest, NatThatIsSwitchedOffCountsAtOnce) {
    serve();
    auto resolver = upstream(good);
    EXPECT_EQ(ask({"example.com"}).rcode, noerror);
    zone_.set(VmName{"natted"}, Ipv4::parse(nat_guest_address), false);
    EXPECT_EQ(ask({"example.com"}).rcode, refused);
}

TEST_F(ForwardingTest, EachQueryGoesOutWithANewIdFromANewPort) {
    serve();
    auto resolver = upstream(good);
    std::set<unsigned> ids;
    std::set<unsigned> ports;
    constexpr int count = 40;
    for (int i = 0; i < count; ++i) {
        ask({.name = "example.com", .id = 7});
        const auto &asked = resolver.asked().back();
        ids.insert(asked.query[0] * 256U + asked.query[1]);
        ports.insert(asked.source_port);
    }
    EXPECT_GT(ids.size(), count - 5U);
    EXPECT_GT(ports.size(), count - 5U);
}

TEST_F(ForwardingTest, EdnsPassesThroughBothWays) {
    serve();
    auto resolver = upstream([](const Bytes &query) {
        Bytes reply = good(query);
        const Bytes opt(query.end() - 11, query.end());
        reply.insert(reply.end(), opt.begin(), opt.end());
        reply[11] = 1;
        return reply;
    });
    const Message message =
        ask({.name = "example.com", .edns = Edns{.udp_bytes = 1440, .dnssec_ok = true}});
    ASSERT_TRUE(message.edns);
    EXPECT_EQ(message.edns->udp_bytes, 1440);
    EXPECT_TRUE(message.edns->dnssec_ok);
}

TEST_F(ForwardingTest, TheCaseOfTheQuestionSurvivesAResolverThatChangesIt) {
    serve();
    auto resolver = upstream([](const Bytes &query) {
        Bytes reply = good(query);
        for (auto &byte : reply) {
            byte = static_cast<std::uint8_t>(byte == 'E' ? 'e' : byte);
        }
        return reply;
    });
    EXPECT_EQ(ask({"ExamplE.com"}).question, "ExamplE.com");
}

TEST_F(ForwardingTest, ATruncatedReplyStaysTruncated) {
    serve();
    auto resolver = upstream([](const Bytes &query) {
        Bytes reply = good(query);
        reply[2] |= 0x02U;
        return reply;
    });
    EXPECT_TRUE(ask({"example.com"}).truncated);
}

TEST_F(ForwardingTest, ATcpQueryIsForwardedByTcp) {
    serve();
    const std::vector<std::string> many(2000, "192.0.2.80");
    auto resolver = upstream([&](const Bytes &query) { return reply_to(query, noerror, many); });
    TcpClient client{loop_, nat_guest_address, bridge_address, port_};
    client.send(Ask{.name = "example.com", .id = 1}.wire());
    client.send(Ask{.name = "sandbox.vm", .id = 2}.wire());
    std::set<std::size_t> sizes;
    for (int i = 0; i < 2; ++i) {
        const auto reply = client.receive();
        ASSERT_TRUE(reply);
        sizes.insert(Message::read(*reply).answers.size());
    }
    EXPECT_EQ(sizes, (std::set<std::size_t>{1, 2000}));
    ASSERT_EQ(resolver.asked().size(), 1U);
    EXPECT_TRUE(resolver.asked()[0].tcp);
}

TEST_F(ForwardingTest, AReplyThatIsTooLongForTheGuestIsCut) {
    serve();
    auto resolver = upstream([](const Bytes &query) {
        return reply_to(query, noerror, std::vector<std::string>(100, "192.0.2.80"));
    });
    EXPECT_TRUE(ask({"example.com"}).truncated);
    EXPECT_EQ(ask({.name = "example.com", .edns = Edns{.udp_bytes = 4096}}).answers.size(), 100U);
}

TEST_F(ForwardingTest, AReplyToSomethingElseIsNotBelieved) {
    serve({.upstream_deadline = 300ms});
    auto wrong_id = upstream([](const Bytes &query) {
        Bytes reply = good(query);
        reply[0] ^= 0xffU;
        return reply;
    });
    EXPECT_EQ(ask({"example.com"}).rcode, servfail);
}

TEST_F(ForwardingTest, AReplyToAnotherQuestionIsNotBelieved) {
    serve({.upstream_deadline = 300ms});
    auto wrong_name = upstream([](const Bytes &query) {
        Bytes reply = good(query);
        reply[13] = 'x';
        return reply;
    });
    EXPECT_EQ(ask({"example.com"}).rcode, servfail);
}

TEST_F(ForwardingTest, NonsenseFromAResolverIsFollowedByAnotherTry) {
    int times = 0;
    auto resolver = upstream([&](const Bytes &query) {
        ++times;
        return times == 1 ? Bytes{1, 2, 3} : good(query);
    });
    serve({.upstream_patience = 50ms});
    EXPECT_EQ(ask({"example.com"}).rcode, noerror);
}

TEST_F(ForwardingTest, ASilentResolverIsFollowedByTheNextOne) {
    set_resolvers({"127.0.0.53", "127.0.0.54"});
    serve({.upstream_patience = 50ms});
    auto first = upstream(silent);
    auto second = upstream(good, "127.0.0.54");
    EXPECT_EQ(ask({"example.com"}).answers.size(), 1U);
    EXPECT_EQ(first.asked().size(), 1U);
    EXPECT_EQ(second.asked().size(), 1U);
}

TEST_F(ForwardingTest, AResolverThatIsNotThereIsPassedOverAtOnce) {
    set_resolvers({"127.0.0.53", "127.0.0.54"});
    serve({.upstream_patience = 60s, .upstream_deadline = 60s});
    auto second = upstream(good, "127.0.0.54");
    EXPECT_EQ(ask({"example.com"}).answers.size(), 1U);
    TcpClient client{loop_, nat_guest_address, bridge_address, port_};
    client.send(Ask{"example.com"}.wire());
    EXPECT_TRUE(client.receive());
}

TEST_F(ForwardingTest, AResolverThatFailsIsFollowedByTheNextOne) {
    set_resolvers({"127.0.0.53", "127.0.0.54"});
    serve({.upstream_patience = 60s, .upstream_deadline = 60s});
    auto first = upstream([](const Bytes &query) { return reply_to(query, refused); });
    auto second = upstream(good, "127.0.0.54");
    EXPECT_EQ(ask({"example.com"}).answers.size(), 1U);
}

TEST_F(ForwardingTest, IfAllFailTheGuestHearsTheirFailure) {
    serve({.upstream_patience = 60s, .upstream_deadline = 60s});
    auto only = upstream([](const Bytes &query) { return reply_to(query, refused); });
    EXPECT_EQ(ask({"example.com"}).rcode, refused);
    EXPECT_EQ(only.asked().size(), 1U);
}

TEST_F(ForwardingTest, NxdomainIsAnAnswer) {
    set_resolvers({"127.0.0.53", "127.0.0.54"});
    serve();
    auto first = upstream([](const Bytes &query) { return reply_to(query, nxdomain); });
    auto second = upstream(good, "127.0.0.54");
    EXPECT_EQ(ask({"nobody.example.com"}).rcode, nxdomain);
    EXPECT_TRUE(second.asked().empty());
}

TEST_F(ForwardingTest, WithoutAnyResolverItFailsAtOnce) {
    set_resolvers({"127.0.0.53", "127.0.0.54"});
    serve({.upstream_patience = 60s, .upstream_deadline = 60s});
    const Message message = ask({.name = "example.com", .edns = Edns{}});
    EXPECT_EQ(message.rcode, servfail);
    EXPECT_TRUE(message.edns);
}

TEST_F(ForwardingTest, SilenceEndsInServfailByTheDeadline) {
    serve({.upstream_patience = 40ms, .upstream_deadline = 200ms});
    auto resolver = upstream(silent);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask({"example.com"}).rcode, servfail);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
    EXPECT_EQ(resolver.asked().size(), 3U) << "a lost datagram is sent again, but not for ever";
}

TEST_F(ForwardingTest, AChangedResolvConfCountsForTheNextQuery) {
    serve();
    auto first = upstream(good);
    auto second = upstream(good, "127.0.0.54");
    ask({"example.com"});
    set_resolvers({"127.0.0.54"});
    ask({"example.com"});
    EXPECT_EQ(first.asked().size(), 1U);
    EXPECT_EQ(second.asked().size(), 1U);
}

TEST_F(ForwardingTest, OneGuestCannotTakeAllPlaces) {
    serve({.upstream_deadline = 2s, .max_forwards = 4, .max_forwards_per_client = 2});
    zone_.set(VmName{"another"}, Ipv4::parse("172.16.5.4"), true);
    auto resolver =
        upstream([](const Bytes &query) { return query[13] == 'q' ? good(query) : Bytes{}; });
    UdpClient greedy{loop_, nat_guest_address};
    for (int i = 0; i < 3; ++i) {
        greedy.send(Ask{"slow.example.com"}.wire(), bridge_address, port_);
    }
    const auto turned_down = greedy.receive(1s);
    ASSERT_TRUE(turned_down);
    EXPECT_EQ(Message::read(*turned_down).rcode, servfail);
    UdpClient other{loop_, "172.16.5.4"};
    other.send(Ask{"quick.example.com"}.wire(), bridge_address, port_);
    const auto served = other.receive(1s);
    ASSERT_TRUE(served);
    EXPECT_EQ(Message::read(*served).answers.size(), 1U);
}

TEST_F(ForwardingTest, ASocketThatIsRemovedMeanwhileGetsNoReply) {
    serve({.upstream_deadline = 100ms});
    auto resolver = upstream(silent);
    UdpClient client{loop_, nat_guest_address};
    client.send(Ask{"example.com"}.wire(), bridge_address, port_);
    ASSERT_TRUE(run_until(loop_, [&] { return !resolver.asked().empty(); }));
    server_->remove_socket(udp_id_);
    EXPECT_FALSE(client.receive(200ms));
}

TEST_F(ForwardingTest, TheServerMayEndWithQueriesOnTheirWay) {
    serve();
    auto resolver = upstream(silent);
    UdpClient client{loop_, nat_guest_address};
    TcpClient tcp{loop_, nat_guest_address, bridge_address, port_};
    client.send(Ask{"example.com"}.wire(), bridge_address, port_);
    tcp.send(Ask{"example.com"}.wire());
    ASSERT_TRUE(run_until(loop_, [&] { return resolver.asked().size() == 2; }));
    server_.reset();
    EXPECT_TRUE(tcp.is_closed());
}

} // namespace
} // namespace banger::test
