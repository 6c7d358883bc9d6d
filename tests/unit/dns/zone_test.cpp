#include "base/error.hpp"
#include "resolved/zone.hpp"

#include <gtest/gtest.h>

namespace banger::resolved {
namespace {

Zone zone_of_alice() {
    Zone zone;
    zone.set_network("alice.vm", Ipv4::parse("172.16.3.1"));
    return zone;
}

TEST(Zone, NamesAVmBelowTheUsersDomain) {
    EXPECT_EQ(Zone{}.host_name(VmName{"sandbox"}), "sandbox.vm");
    EXPECT_EQ(zone_of_alice().host_name(VmName{"sandbox"}), "sandbox.alice.vm");
}

TEST(Zone, KnowsARunningVmByNameAndByAddress) {
    Zone zone = zone_of_alice();
    zone.set(VmName{"sandbox"}, Ipv4::parse("172.16.3.2"), false);
    EXPECT_EQ(zone.address_of("sandbox"), Ipv4::parse("172.16.3.2"));
    EXPECT_EQ(zone.name_of(Ipv4::parse("172.16.3.2")), "sandbox");
    zone.remove(VmName{"sandbox"});
    EXPECT_EQ(zone.address_of("sandbox"), std::nullopt);
    EXPECT_EQ(zone.name_of(Ipv4::parse("172.16.3.2")), "");
}

TEST(Zone, AnAddressThatIsReusedBelongsToTheNewVmAlone) {
    Zone zone = zone_of_alice();
    zone.set(VmName{"old"}, Ipv4::parse("172.16.3.2"), false);
    zone.set(VmName{"new"}, Ipv4::parse("172.16.3.2"), false);
    EXPECT_EQ(zone.address_of("old"), std::nullopt);
    EXPECT_EQ(zone.name_of(Ipv4::parse("172.16.3.2")), "new");
}

TEST(Zone, AVmThatGetsAnotherAddressGivesUpTheFirst) {
    Zone zone = zone_of_alice();
    zone.set(VmName{"sandbox"}, Ipv4::parse("172.16.3.2"), false);
    zone.set(VmName{"sandbox"}, Ipv4::parse("172.16.3.9"), false);
    EXPECT_EQ(zone.name_of(Ipv4::parse("172.16.3.2")), "");
    EXPECT_EQ(zone.address_of("sandbox"), Ipv4::parse("172.16.3.9"));
}

TEST(Zone, RefusesAnAddressThatIsNoGuestsOfThisUser) {
    Zone zone = zone_of_alice();
    EXPECT_THROW(zone.set(VmName{"a"}, Ipv4::parse("172.16.4.2"), false), Error);
    EXPECT_THROW(zone.set(VmName{"a"}, Ipv4::parse("172.16.3.1"), false), Error);
    EXPECT_EQ(zone.size(), 0U);
}

TEST(Zone, AnotherSubnetForgetsTheGuestsOfTheFormerOne) {
    Zone zone = zone_of_alice();
    zone.set(VmName{"sandbox"}, Ipv4::parse("172.16.3.2"), false);
    zone.set_network("vm", Ipv4::parse("172.16.0.1"));
    EXPECT_EQ(zone.size(), 0U);
    EXPECT_EQ(zone.name_of(Ipv4::parse("172.16.3.2")), "");
}

TEST(Zone, RefusesADomainThatIsNotBelowVm) {
    for (const auto *domain : {"", "com", "alice.com", "xvm", ".vm", "a..vm", "Alice.vm", "vm."}) {
        EXPECT_THROW(Zone{domain}, Error) << domain;
    }
}

TEST(Zone, TellsClientsApartByTheirAddress) {
    Zone zone = zone_of_alice();
    zone.set(VmName{"inside"}, Ipv4::parse("172.16.3.2"), false);
    zone.set(VmName{"outside"}, Ipv4::parse("172.16.3.3"), true);
    EXPECT_EQ(zone.client(Ipv4::parse("127.0.0.1")), Client::Host);
    EXPECT_EQ(zone.client(Ipv4::parse("172.16.3.1")), Client::Host);
    EXPECT_EQ(zone.client(Ipv4::parse("172.16.3.2")), Client::Guest);
    EXPECT_EQ(zone.client(Ipv4::parse("172.16.3.3")), Client::GuestWithNat);
    EXPECT_EQ(zone.client(Ipv4::parse("172.16.3.77")), Client::Guest) << "a VM that still boots";
    EXPECT_EQ(zone.client(Ipv4::parse("172.16.4.2")), Client::Stranger);
}

} // namespace
} // namespace banger::resolved
