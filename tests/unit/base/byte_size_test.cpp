#include "base/byte_size.hpp"
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace banger {
namespace {

TEST(ByteSize, ReadsNumbersWithAndWithoutUnits) {
    EXPECT_EQ(parse_byte_size("4096"), 4096U);
    EXPECT_EQ(parse_byte_size("512M"), 512 * MiB);
    EXPECT_EQ(parse_byte_size("16g"), 16 * GiB);
    EXPECT_EQ(parse_byte_size("8GiB"), 8 * GiB);
    EXPECT_EQ(parse_byte_size("1.5K"), 1536U);
}

TEST(ByteSize, RefusesWhatIsNoSize) {
    for (const char *text :
         {"", "G", "-1G", "1X", "1 G", "nan", "inf", "1e9", "99999999T", "1Gib2"}) {
        EXPECT_THROW(parse_byte_size(text), Error) << text;
    }
}

TEST(ByteSize, IsWrittenForPeople) {
    EXPECT_EQ(format_byte_size(17), "17 B");
    EXPECT_EQ(format_byte_size(8 * GiB), "8 GiB");
    EXPECT_EQ(format_byte_size(GiB + GiB / 2), "1.5 GiB");
}

} // namespace
} // namespace banger
