#include "base/error.hpp"
#include "base/files.hpp"
#include "tests/integration/helper/host_network.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace banger::test {
namespace {

template <typename Body>
ErrorCode code_of(Body body) {
    try {
        body();
    } catch (const Error &e) {
        return e.code();
    }
    ADD_FAILURE() << "no error was thrown";
    return ErrorCode::Internal;
}

// As a VMM of that user opens it.
bool can_open(const std::string &tap, uid_t uid) {
    const pid_t child = fork();
    if (child == 0) {
        // The device node's mode is the machine's matter; whose the tap is counts here.
        const UniqueFd device(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
        if (setuid(uid) != 0) {
            _exit(2);
        }
        try {
            attach_tap(device.get(), tap);
            _exit(0);
        } catch (const std::exception &) {
            _exit(1);
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 0;
}

class HelperLinks : public HostNetwork {};

TEST_F(HelperLinks, TheFirstUserHasTheFirstSubnetAndTheNameVm) {
    const auto network = service().ensure_network(alice);
    EXPECT_EQ(network.subnet.prefix.str(), "172.16.0.0/24");
    EXPECT_EQ(network.domain, "vm");
    const std::string shown = host_ip({"-d", "address", "show", "bngr0"});
    EXPECT_NE(shown.find("172.16.0.1/24"), std::string::npos) << shown;
    EXPECT_NE(shown.find("06:00:ac:10:00:01"), std::string::npos) << shown;
    EXPECT_NE(shown.find("alias banger:3000000:172.16.0.1"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("inet6"), std::string::npos) << shown;

    EXPECT_EQ(service().ensure_network(bob).subnet.prefix.str(), "172.16.1.0/24");
    EXPECT_EQ(service().ensure_network(bob).domain, "u3000001.vm");
    EXPECT_EQ(service().ensure_network(alice).subnet.prefix.str(), "172.16.0.0/24");
}

TEST_F(HelperLinks, ASubnetIsKeptForEver) {
    service().ensure_network(alice);
    service().ensure_network(bob);
    service().remove_all(alice);
    service().remove_all(bob);
    restart_service();
    EXPECT_EQ(service().ensure_network(bob).subnet.number, 1U);
}

TEST_F(HelperLinks, ASubnetThatTheHostUsesIsSkipped) {
    host_ip({"link", "add", "docker0", "type", "bridge"});
    host_ip({"address", "add", "172.16.0.1/23", "dev", "docker0"});
    host_ip({"route", "add", "172.16.2.0/24", "via", "192.0.2.254"});
    EXPECT_EQ(service().ensure_network(alice).subnet.prefix.str(), "172.16.3.0/24");
}

TEST_F(HelperLinks, ATapBelongsToItsUserAlone) {
    service().ensure_network(alice);
    const auto tap = service().create_tap(alice, Ipv4::parse("172.16.0.2"), false);
    EXPECT_EQ(tap.tap, "bngr0-2");
    EXPECT_TRUE(can_open("bngr0-2", alice));
    EXPECT_FALSE(can_open("bngr0-2", bob));
    const std::string shown = host_ip({"-d", "link", "show", "bngr0-2"});
    EXPECT_NE(shown.find("master bngr0"), std::string::npos) << shown;
    EXPECT_NE(shown.find("vnet_hdr on"), std::string::npos) << shown;
    EXPECT_NE(shown.find("persist on"), std::string::npos) << shown;
}

TEST_F(HelperLinks, MakingATapAgainChangesOnlyWhatIsAskedFor) {
    const auto guest = start_guest(alice, "172.16.0.2");
    service().set_nat(alice, "bngr0-2", true);
    service().create_tap(alice, Ipv4::parse("172.16.0.2"), true);
    const auto again = service().check_tap(alice, "bngr0-2");
    EXPECT_TRUE(again.allow_host);
    EXPECT_TRUE(again.nat);
    EXPECT_TRUE(ping(guest->stack(), "172.16.0.1"));
}

TEST_F(HelperLinks, NothingIsLeftAfterTheLastTap) {
    const std::string before = host_ip({"-br", "link"});
    service().ensure_network(alice);
    service().create_tap(alice, Ipv4::parse("172.16.0.2"), false);
    service().create_tap(alice, Ipv4::parse("172.16.0.3"), false);
    service().set_nat(alice, "bngr0-3", true);
    service().release_tap(alice, "bngr0-2");
    EXPECT_NE(host_ip({"-br", "link"}).find("bngr0"), std::string::npos);
    service().release_tap(alice, "bngr0-3");
    service().release_tap(alice, "bngr0-3");
    EXPECT_EQ(host_ip({"-br", "link"}), before);
    EXPECT_EQ(rules(), "");
    EXPECT_FALSE(service().nat_is_on());
}

TEST_F(HelperLinks, RemoveAllRemovesOneUsersLinksOnly) {
    service().ensure_network(alice);
    service().create_tap(alice, Ipv4::parse("172.16.0.2"), false);
    service().ensure_network(bob);
    service().create_tap(bob, Ipv4::parse("172.16.1.2"), false);
    service().remove_all(alice);
    const std::string links = host_ip({"-br", "link"});
    EXPECT_EQ(links.find("bngr0"), std::string::npos);
    EXPECT_NE(links.find("bngr1-2"), std::string::npos);
    EXPECT_EQ(service().describe(alice)->bridge, 0);
    EXPECT_EQ(service().describe(bob)->guests.size(), 1U);
}

TEST_F(HelperLinks, NobodyCanNameWhatIsNotTheirs) {
    service().ensure_network(alice);
    service().create_tap(alice, Ipv4::parse("172.16.0.2"), false);
    service().ensure_network(bob);
    for (const auto *tap : {"bngr0-2", "bngr0-3"}) {
        EXPECT_EQ(code_of([&] { service().release_tap(bob, tap); }), ErrorCode::NotAuthorized);
        EXPECT_EQ(code_of([&] { service().set_nat(bob, tap, true); }), ErrorCode::NotAuthorized);
    }
    for (const auto *tap : {"up0", "lo", "bngr0", "", "bngr00-2", "bngr0-02", "bngr0-1",
                            "bngr0-255", "bngr0-2 ", "bngr0-2\n", "../up0"}) {
        EXPECT_EQ(code_of([&] { service().release_tap(alice, tap); }), ErrorCode::InvalidArgument)
            << tap;
    }
    for (const auto *address : {"172.16.1.2", "172.16.0.0", "172.16.0.1", "172.16.0.255",
                                "10.0.0.2", "172.16.0.02", "", "::1", "172.16.0.2/24"}) {
        EXPECT_EQ(code_of([&] { service().check_address(alice, address); }),
                  ErrorCode::InvalidArgument)
            << address;
    }
    EXPECT_NE(host_ip({"-br", "link"}).find("bngr0-2"), std::string::npos);
}

TEST_F(HelperLinks, ALinkThatSomebodyElseMadeIsLeftAlone) {
    host_ip({"link", "add", "bngr0", "type", "bridge"});
    EXPECT_EQ(code_of([&] { service().ensure_network(alice); }), ErrorCode::NetworkUnavailable);
    EXPECT_EQ(rules(), "");
    host_ip({"link", "delete", "bngr0"});
    service().ensure_network(alice);
    host_ip({"tuntap", "add", "bngr0-2", "mode", "tap"});
    EXPECT_EQ(code_of([&] { service().create_tap(alice, Ipv4::parse("172.16.0.2"), false); }),
              ErrorCode::NotAuthorized);
    EXPECT_EQ(code_of([&] { service().release_tap(alice, "bngr0-2"); }), ErrorCode::NotAuthorized);
    EXPECT_NE(host_ip({"-br", "link"}).find("bngr0-2"), std::string::npos);
}

TEST_F(HelperLinks, ADamagedRecordOfSubnetsIsAnErrorAndStays) {
    service().ensure_network(alice);
    service().remove_all(alice);
    write_file_atomically(directory_ / "subnets.json", "{\"version\":1,\"subnets\":[");
    EXPECT_EQ(code_of([&] { service().ensure_network(alice); }), ErrorCode::StateCorrupt);
    EXPECT_EQ(read_file(directory_ / "subnets.json"), "{\"version\":1,\"subnets\":[");
    EXPECT_EQ(host_ip({"-br", "link"}).find("bngr0"), std::string::npos);
}

TEST_F(HelperLinks, DnsSocketsAreBoundBeforeTheBridgeExists) {
    const auto sockets = service().open_dns_sockets(alice);
    EXPECT_TRUE(sockets.udp);
    EXPECT_TRUE(sockets.tcp);
    EXPECT_EQ(code_of([&] { service().open_dns_sockets(alice); }), ErrorCode::Busy);
    const auto guest = start_guest(alice, "172.16.0.2");
    EXPECT_EQ(connect_from(guest->stack(), "172.16.0.1", 53), 0);
}

} // namespace
} // namespace banger::test
