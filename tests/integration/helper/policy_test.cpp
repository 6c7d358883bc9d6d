#include "tests/integration/helper/host_network.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace banger::test {
namespace {

class Policy : public HostNetwork {
protected:
    static int udp_socket() { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }
    static std::function<int()> udp_in(FakeGuest &guest) {
        return [&guest] { return guest.stack().in(udp_socket); };
    }
};

TEST_F(Policy, TheHostReachesItsGuests) {
    const auto guest = start_guest(alice, "172.16.0.2");
    auto server = guest->stack().in([] { return EchoServer(80); });
    EXPECT_TRUE(ping(*host_, "172.16.0.2"));
    EXPECT_EQ(connect_tcp("172.16.0.2", 80), 0);
    EXPECT_TRUE(ask_udp(udp_socket, server, "172.16.0.2", 80));
}

TEST_F(Policy, GuestsOfOneUserReachEachOther) {
    const auto one = start_guest(alice, "172.16.0.2");
    const auto two = start_guest(alice, "172.16.0.3");
    const auto server = two->stack().in([] { return EchoServer(80); });
    EXPECT_TRUE(ping(one->stack(), "172.16.0.3"));
    EXPECT_EQ(connect_from(one->stack(), "172.16.0.3", 80), 0);
}

TEST_F(Policy, AGuestReachesDnsAndPingOfTheHostAndNothingElse) {
    const auto guest = start_guest(alice, "172.16.0.2");
    EchoServer dns(53, "172.16.0.1");
    const EchoServer ssh(22);
    EXPECT_TRUE(ping(guest->stack(), "172.16.0.1"));
    EXPECT_TRUE(ask_udp(udp_in(*guest), dns, "172.16.0.1", 53));
    EXPECT_EQ(connect_from(guest->stack(), "172.16.0.1", 53), 0);
    // Refused, not left to time out; and no other address of the host is a way around.
    EXPECT_EQ(connect_from(guest->stack(), "172.16.0.1", 22), EHOSTUNREACH);
    EXPECT_EQ(connect_from(guest->stack(), "192.0.2.1", 22), EHOSTUNREACH);
    EXPECT_FALSE(ping(guest->stack(), "192.0.2.1"));
}

TEST_F(Policy, AllowHostOpensTheHostToThatGuestOnly) {
    const auto open = start_guest(alice, "172.16.0.2", true);
    const auto closed = start_guest(alice, "172.16.0.3");
    const EchoServer ssh(22);
    EXPECT_EQ(connect_from(open->stack(), "172.16.0.1", 22), 0);
    EXPECT_EQ(connect_from(open->stack(), "192.0.2.1", 22), 0);
    EXPECT_EQ(connect_from(closed->stack(), "172.16.0.1", 22), EHOSTUNREACH);
    EXPECT_EQ(connect_from(open->stack(), "192.0.2.254", 22), EHOSTUNREACH);
}

TEST_F(Policy, UsersAreClosedToEachOtherAlsoWithNatAndAllowHost) {
    const auto hers = start_guest(alice, "172.16.0.2", true);
    service().ensure_network(bob);
    const auto his = start_guest(bob, "172.16.1.2", true);
    service().set_nat(alice, "bngr0-2", true);
    service().set_nat(bob, "bngr1-2", true);
    const auto server = his->stack().in([] { return EchoServer(80); });
    const EchoServer dns(53, "172.16.1.1");
    EXPECT_FALSE(ping(hers->stack(), "172.16.1.2"));
    EXPECT_NE(connect_from(hers->stack(), "172.16.1.2", 80), 0);
    EXPECT_FALSE(ping(hers->stack(), "172.16.1.1"));
    EXPECT_NE(connect_from(hers->stack(), "172.16.1.1", 53), 0);
    EXPECT_TRUE(ping(his->stack(), "172.16.1.1"));
    EXPECT_TRUE(ping(*host_, "172.16.1.2"));
}

TEST_F(Policy, TheOutsideDoesNotReachGuestsOrTheirGateway) {
    const auto guest = start_guest(alice, "172.16.0.2");
    const auto server = guest->stack().in([] { return EchoServer(80); });
    const EchoServer dns(53, "172.16.0.1");
    service().set_nat(alice, "bngr0-2", true);
    outside_->ip({"route", "add", "172.16.0.0/24", "via", "192.0.2.1"});
    EXPECT_FALSE(ping(*outside_, "172.16.0.2"));
    EXPECT_NE(connect_from(*outside_, "172.16.0.2", 80), 0);
    EXPECT_FALSE(ping(*outside_, "172.16.0.1"));
    EXPECT_NE(connect_from(*outside_, "172.16.0.1", 53), 0);
    EXPECT_TRUE(ping(*outside_, "192.0.2.1"));
}

TEST_F(Policy, RulesSurviveARestartOfTheHelper) {
    const auto guest = start_guest(alice, "172.16.0.2");
    const std::string before = rules();
    restart_service();
    EXPECT_EQ(rules(), before);
    EXPECT_TRUE(ping(guest->stack(), "172.16.0.1"));
}

} // namespace
} // namespace banger::test
