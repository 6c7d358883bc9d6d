#include "daemon/helper/links.hpp"
#include "daemon/helper/segment.hpp"

#include <gtest/gtest.h>

namespace banger::helper {
namespace {

LinkState link(const std::string &name, const std::string &kind, const std::string &alias) {
    LinkState state;
    state.index = 7;
    state.name = name;
    state.kind = kind;
    state.alias = alias;
    return state;
}

TEST(LinkLabel, ReadsWhatItWrites) {
    for (const auto *text : {"banger:1000:172.16.0.2", "banger:0:172.16.0.2:host",
                             "banger:1000:172.16.0.2:nat", "banger:1000:172.16.0.2:host:nat"}) {
        ASSERT_TRUE(LinkLabel::parse(text)) << text;
        EXPECT_EQ(LinkLabel::parse(text)->str(), text);
    }
}

TEST(LinkLabel, IsNothingElse) {
    for (const auto *text :
         {"", "banger", "banger:", "banger:1000", "banger:1000:", "banger:x:172.16.0.2",
          "banger:1000:172.16.0", "banger:01000:172.16.0.2", "banger:-1:172.16.0.2",
          "banger:1000:172.16.0.2:", "banger:1000:172.16.0.2:nat:host", "banger:1000:172.16.0.2:x",
          "Banger:1000:172.16.0.2", "banger:99999999999:172.16.0.2"}) {
        EXPECT_FALSE(LinkLabel::parse(text)) << text;
    }
}

TEST(Segments, AreReadFromNamesAndLabels) {
    const auto segments =
        segments_of({link("bngr0", "bridge", "banger:1000:172.16.0.1"),
                     link("bngr0-2", "tun", "banger:1000:172.16.0.2:nat"), link("eth0", "", "")});
    ASSERT_EQ(segments.size(), 1U);
    EXPECT_EQ(segments[0].owner, 1000U);
    EXPECT_EQ(segments[0].subnet().str(), "172.16.0.0/24");
    EXPECT_EQ(segments[0].guests,
              (std::vector<Guest>{{"bngr0-2", Ipv4::parse("172.16.0.2"), false, true}}));
    EXPECT_TRUE(segments[0].any_nat());
}

TEST(Segments, HaveNoGuestWhoseNameOwnerAndAddressDisagree) {
    const auto bridge = link("bngr0", "bridge", "banger:1000:172.16.0.1");
    for (const auto &tap :
         {link("bngr0-2", "tun", "banger:1001:172.16.0.2"),
          link("bngr0-2", "tun", "banger:1000:172.16.0.3"),
          link("bngr0-2", "tun", "banger:1000:172.16.1.2"),
          link("bngr1-2", "tun", "banger:1000:172.16.0.2"),
          link("bngr0-2", "veth", "banger:1000:172.16.0.2"), link("bngr0-2", "tun", "")}) {
        EXPECT_TRUE(segments_of({bridge, tap}).at(0).guests.empty()) << tap.name << tap.alias;
    }
    EXPECT_TRUE(segments_of({link("bngr0", "bridge", "")}).empty());
    EXPECT_TRUE(segments_of({link("bngr0", "dummy", "banger:1000:172.16.0.1")}).empty());
}

} // namespace
} // namespace banger::helper
