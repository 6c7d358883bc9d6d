#include "tests/integration/helper/host_network.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace banger::test {
namespace {

constexpr const char *outside_address = "192.0.2.254";

class Nat : public HostNetwork {
protected:
    void SetUp() override {
        HostNetwork::SetUp();
        if (!IsSkipped()) {
            guest_ = start_guest(alice, "172.16.0.2");
            server_ = outside_->in([] { return std::make_unique<EchoServer>(80); });
        }
    }

    int connect_outside(FakeGuest &guest) {
        return connect_from(guest.stack(), outside_address, 80);
    }
    /// The address that the outside sees when this guest sends a packet; "" when none comes.
    std::string seen_outside(FakeGuest &guest) {
        const UniqueFd fd(
            guest.stack().in([] { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(80);
        name.sin_addr = Ipv4::parse(outside_address).to_in_addr();
        sendto(fd.get(), "?", 1, 0, reinterpret_cast<const sockaddr *>(&name), sizeof name);
        return server_->answer(std::chrono::milliseconds(500));
    }

    std::unique_ptr<FakeGuest> guest_;
    std::unique_ptr<EchoServer> server_;
};

TEST_F(Nat, WithoutItTheOutsideIsRefusedAtOnce) {
    EXPECT_EQ(connect_outside(*guest_), EHOSTUNREACH);
    EXPECT_EQ(seen_outside(*guest_), "");
}

TEST_F(Nat, WithItTheGuestReachesTheOutsideFromTheHostsAddress) {
    service().set_nat(alice, "bngr0-2", true);
    service().set_nat(alice, "bngr0-2", true);
    EXPECT_EQ(connect_outside(*guest_), 0);
    EXPECT_EQ(seen_outside(*guest_), "192.0.2.1");
    EXPECT_TRUE(ping(guest_->stack(), outside_address));
    EXPECT_TRUE(service().nat_is_on());
}

TEST_F(Nat, IsForOneGuest) {
    const auto other = start_guest(alice, "172.16.0.3");
    service().set_nat(alice, "bngr0-2", true);
    EXPECT_EQ(connect_outside(*guest_), 0);
    EXPECT_EQ(connect_outside(*other), EHOSTUNREACH);
}

TEST_F(Nat, OffAgainIsRefusedAgain) {
    service().set_nat(alice, "bngr0-2", true);
    EXPECT_EQ(connect_outside(*guest_), 0);
    service().set_nat(alice, "bngr0-2", false);
    EXPECT_EQ(connect_outside(*guest_), EHOSTUNREACH);
    EXPECT_FALSE(service().nat_is_on());
}

TEST_F(Nat, ForwardingIsOnBridgeAndUplinkAloneAndGoesAgain) {
    start_guest(bob, "172.16.1.2");
    service().set_nat(alice, "bngr0-2", true);
    EXPECT_TRUE(forwards("bngr0"));
    EXPECT_TRUE(forwards("up0"));
    for (const auto *link : {"all", "default", "lo", "bngr1", "bngr0-2"}) {
        EXPECT_FALSE(forwards(link)) << link;
    }
    service().set_nat(alice, "bngr0-2", false);
    EXPECT_FALSE(forwards("bngr0"));
    EXPECT_FALSE(forwards("up0"));
    EXPECT_EQ(rules().find("banger_uplinks"), std::string::npos);
}

TEST_F(Nat, TheUplinkKeepsWhatItHadBefore) {
    set_sysctl("ipv4/conf/up0/forwarding", "1");
    service().set_nat(alice, "bngr0-2", true);
    service().set_nat(alice, "bngr0-2", false);
    EXPECT_TRUE(forwards("up0"));
}

TEST_F(Nat, SomebodyWhoSwitchesForwardingOnMeanwhileKeepsIt) {
    service().set_nat(alice, "bngr0-2", true);
    set_sysctl("ipv4/ip_forward", "1");
    EXPECT_TRUE(eventually([&] { return rules().find("banger_uplinks") == std::string::npos; }));
    service().set_nat(alice, "bngr0-2", false);
    EXPECT_TRUE(forwards("up0"));
}

TEST_F(Nat, TheFormerValueSurvivesARestartOfTheHelper) {
    service().set_nat(alice, "bngr0-2", true);
    restart_service();
    EXPECT_TRUE(service().nat_is_on());
    EXPECT_EQ(connect_outside(*guest_), 0);
    service().release_tap(alice, "bngr0-2");
    EXPECT_FALSE(forwards("up0"));
}

TEST_F(Nat, TheHostDoesNotBecomeARouterForOthers) {
    NetworkNamespace lan;
    host_ip({"link", "add", "lan0", "type", "veth", "peer", "name", "eth0", "netns", lan.path()});
    host_ip({"address", "add", "198.51.100.1/24", "dev", "lan0"});
    host_ip({"link", "set", "lan0", "up"});
    lan.ip({"address", "add", "198.51.100.2/24", "dev", "eth0"});
    lan.ip({"link", "set", "eth0", "up"});
    lan.ip({"route", "add", "default", "via", "198.51.100.1"});
    outside_->ip({"route", "add", "198.51.100.0/24", "via", "192.0.2.1"});
    set_sysctl("ipv4/conf/lan0/forwarding", "1");
    const auto reached = [&] { return ping(*outside_, "198.51.100.2"); };
    EXPECT_FALSE(reached());
    service().set_nat(alice, "bngr0-2", true);
    EXPECT_FALSE(reached());
    EXPECT_EQ(connect_outside(*guest_), 0);
    // A network of the host that is no uplink is not the outside.
    EXPECT_NE(connect_from(guest_->stack(), "198.51.100.2", 80), 0);
}

TEST_F(Nat, FollowsTheDefaultRoute) {
    service().set_nat(alice, "bngr0-2", true);
    NetworkNamespace other;
    host_ip({"link", "add", "up1", "type", "veth", "peer", "name", "eth0", "netns", other.path()});
    host_ip({"address", "add", "203.0.113.1/24", "dev", "up1"});
    host_ip({"link", "set", "up1", "up"});
    other.ip({"address", "add", "203.0.113.254/24", "dev", "eth0"});
    other.ip({"link", "set", "eth0", "up"});
    host_ip({"route", "replace", "default", "via", "203.0.113.254"});
    EXPECT_TRUE(eventually([&] { return forwards("up1") && !forwards("up0"); }));
    auto server = other.in([] { return EchoServer(80); });
    EXPECT_EQ(connect_from(guest_->stack(), "203.0.113.254", 80), 0);
}

TEST_F(Nat, ATcpConnectionFitsTheSmallerMtuOfTheUplink) {
    host_ip({"link", "set", "up0", "mtu", "1300"});
    service().set_nat(alice, "bngr0-2", true);
    const UniqueFd fd(outside_->in([] { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(81);
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name), 0);
    ASSERT_EQ(listen(fd.get(), 1), 0);
    ASSERT_EQ(connect_from(guest_->stack(), outside_address, 81), 0);
    const UniqueFd accepted(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    int segment = 0;
    socklen_t size = sizeof segment;
    ASSERT_EQ(getsockopt(accepted.get(), IPPROTO_TCP, 2 /* TCP_MAXSEG */, &segment, &size), 0);
    EXPECT_LE(segment, 1300 - 40);
}

} // namespace
} // namespace banger::test
