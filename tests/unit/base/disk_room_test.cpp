#include "base/disk_room.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace banger {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t exbibyte = std::uint64_t{1} << 60U;

std::optional<std::string> missing(std::initializer_list<NeededRoom> needed) {
    return missing_room(std::vector<NeededRoom>{needed});
}

TEST(DiskRoom, NothingIsMissingWhereThereIsRoom) {
    EXPECT_EQ(missing({}), std::nullopt);
    EXPECT_EQ(missing({{"/tmp", 1}}), std::nullopt);
}

TEST(DiskRoom, SaysWhereAndHowMuch) {
    const auto text = missing({{"/tmp", exbibyte}});
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("needs about 1048576 TiB in /tmp, which has "));
    EXPECT_THAT(*text, HasSubstr(" TiB are missing"));
}

TEST(DiskRoom, TakesWhatLiesOnOneFileSystemTogether) {
    const auto text = missing({{"/tmp", exbibyte / 2}, {"/tmp/.", exbibyte / 2}});
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("needs about 1048576 TiB in /tmp"));
}

TEST(DiskRoom, ASumThatNoNumberHoldsIsMissing) {
    const auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_TRUE(missing({{"/tmp", most}, {"/tmp", most}}));
}

TEST(DiskRoom, WhatDoesNotExistIsNobodysFault) {
    EXPECT_EQ(missing({{"/nonexistent", exbibyte}}), std::nullopt);
}

} // namespace
} // namespace banger
