#include "daemon/net/guest_link.hpp"

#include <gtest/gtest.h>
#include <net/if.h>

namespace banger::net {
namespace {

TEST(GuestLink, NamesFollowFromSubnetAndAddress) {
    const auto address = Ipv4::parse("172.16.3.200");
    EXPECT_EQ(bridge_name(3), "bngr3");
    EXPECT_EQ(tap_name(3, address), "bngr3-200");
    EXPECT_EQ(mac_of(address), "06:00:ac:10:03:c8");
    EXPECT_EQ(parse_tap_name("bngr3-200")->subnet, 3U);
    EXPECT_EQ(parse_tap_name("bngr3-200")->host, 200);
    EXPECT_LT(tap_name((1U << 20U) - 1, address).size(), std::size_t{IFNAMSIZ});
}

TEST(GuestLink, EachNameHasOneSpelling) {
    for (const auto *name : {"", "bngr", "bngr-2", "bngr0", "bngr0-", "bngr0-1", "bngr0-255",
                             "bngr00-2", "bngr0-02", "bngr+0-2", "bngr0--2", "bngr0-2-2", "Bngr0-2",
                             " bngr0-2", "bngr0-2\n", "bngr1048576-2", "bngr99999999999-2"}) {
        EXPECT_FALSE(parse_tap_name(name)) << name;
    }
    EXPECT_FALSE(parse_bridge_name("bngr0-2"));
    EXPECT_EQ(parse_bridge_name("bngr17"), 17U);
}

} // namespace
} // namespace banger::net
