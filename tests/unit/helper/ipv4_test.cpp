#include "base/error.hpp"
#include "base/ipv4.hpp"

#include <gtest/gtest.h>

namespace banger {
namespace {

TEST(Ipv4Prefix, ReadsWhatItWrites) {
    for (const auto *text : {"172.16.0.0/12", "0.0.0.0/0", "10.0.0.1/32", "192.168.1.0/24"}) {
        EXPECT_EQ(Ipv4Prefix::parse(text).str(), text);
    }
}

TEST(Ipv4Prefix, RefusesAnythingElse) {
    for (const auto *text : {"172.16.0.0", "172.16.0.0/", "172.16.0.0/33", "172.16.0.0/-1",
                             "172.16.0.0/8x", "172.16.0.1/24", "/8", "a/8", "1.2.3/8"}) {
        EXPECT_THROW(Ipv4Prefix::parse(text), Error) << text;
    }
}

TEST(Ipv4Prefix, KnowsWhatIsInIt) {
    const auto pool = Ipv4Prefix::parse("172.16.0.0/12");
    EXPECT_TRUE(pool.contains(Ipv4::parse("172.31.255.255")));
    EXPECT_FALSE(pool.contains(Ipv4::parse("172.32.0.0")));
    EXPECT_TRUE(pool.overlaps(Ipv4Prefix::parse("172.17.0.0/16")));
    EXPECT_TRUE(pool.overlaps(Ipv4Prefix::parse("0.0.0.0/0")));
    EXPECT_FALSE(pool.overlaps(Ipv4Prefix::parse("10.0.0.0/8")));
}

} // namespace
} // namespace banger
