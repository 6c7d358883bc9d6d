#include "daemon/helper/ruleset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::helper {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Segment two_guests() {
    return {3,
            1000,
            Ipv4::parse("172.16.3.1"),
            1,
            {{"bngr3-2", Ipv4::parse("172.16.3.2"), false, true},
             {"bngr3-9", Ipv4::parse("172.16.3.9"), true, false}}};
}

TEST(Ruleset, BindsEachTapToOneMacAndAddress) {
    const auto text = segment_rules(two_guests(), {"eth0"});
    EXPECT_THAT(
        text,
        HasSubstr(
            R"(elements = { "bngr3-2" . 06:00:ac:10:03:02, "bngr3-9" . 06:00:ac:10:03:09 })"));
    EXPECT_THAT(text,
                HasSubstr(R"(elements = { "bngr3-2" . 172.16.3.2, "bngr3-9" . 172.16.3.9 })"));
    EXPECT_THAT(text, HasSubstr(R"("bngr3-9" . 06:00:ac:10:03:09 . 172.16.3.9)"));
}

TEST(Ruleset, NatAndTheHostAreOpenToThoseWhoHaveThem) {
    const auto text = segment_rules(two_guests(), {"eth0", "wg0"});
    EXPECT_THAT(text,
                HasSubstr("set nat {\n        type ipv4_addr\n        elements = { 172.16.3.2 }"));
    EXPECT_THAT(
        text,
        HasSubstr("set allow_host {\n        type ipv4_addr\n        elements = { 172.16.3.9 }"));
    EXPECT_THAT(text, HasSubstr(R"(elements = { "eth0", "wg0" })"));
}

TEST(Ruleset, EachScriptReplacesWhatWasThere) {
    EXPECT_THAT(
        segment_rules(two_guests(), {}),
        StartsWith("add table bridge banger_3\ndelete table bridge banger_3\ntable bridge"));
    EXPECT_THAT(remove_segment_rules(3), HasSubstr("delete table inet banger_3\n"));
    EXPECT_THAT(uplink_rules({}), Not(HasSubstr("chain")));
    EXPECT_THAT(uplink_rules({"eth0"}), HasSubstr(R"(elements = { "eth0" })"));
}

TEST(Ruleset, ASegmentWithoutGuestsHasNoEmptyListOfElements) {
    EXPECT_THAT(segment_rules({0, 1000, Ipv4::parse("172.16.0.1"), 1, {}}, {}),
                Not(HasSubstr("elements")));
}

} // namespace
} // namespace banger::helper
