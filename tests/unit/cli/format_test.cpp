#include "base/process.hpp"
#include "cli/format.hpp"

#include <gtest/gtest.h>

namespace banger::cli {
namespace {

using namespace std::chrono_literals;

TEST(Format, AgesAreInOneUnitRoundedDown) {
    EXPECT_EQ(format_age(400ms), "less than a second");
    EXPECT_EQ(format_age(1s), "1 second");
    EXPECT_EQ(format_age(119s), "1 minute");
    EXPECT_EQ(format_age(26h), "1 day");
    EXPECT_EQ(format_age(24h * 400), "1 year");
}

TEST(Format, DurationsAreAsExactAsTheyAreLong) {
    EXPECT_EQ(format_duration(850ms), "850 ms");
    EXPECT_EQ(format_duration(12400ms), "12.4 s");
    EXPECT_EQ(format_duration(200s), "3 min 20 s");
}

TEST(Format, TimesThatNeverWereAreEmpty) {
    EXPECT_EQ(format_since(0, 5), "");
    EXPECT_EQ(format_iso_time(0), "");
    EXPECT_EQ(format_iso_time(1'700'000'000'000'000), "2023-11-14T22:13:20Z");
    // A clock that was set back.
    EXPECT_EQ(format_since(10, 5), "less than a second ago");
}

TEST(QuoteWord, AShellReadsTheSameWordBack) {
    for (const std::string word : {"plain", "", "two words", "it's", "$HOME `id` \\ \"x\"",
                                   "new\nline", "-n", "*", "a;b", "ünï", "\xff"}) {
        Command command;
        command.argv = {"sh", "-c", "printf %s " + quote_word(word)};
        EXPECT_EQ(run_and_read(command), word) << quote_word(word);
    }
}

TEST(QuoteWord, LeavesPlainWordsReadable) {
    EXPECT_EQ(quote_word("/root/repo-1.0_x"), "/root/repo-1.0_x");
}

TEST(QuotePath, ShowsOneLineForAnyName) {
    EXPECT_EQ(quote_path("src/main.cpp"), "src/main.cpp");
    EXPECT_EQ(quote_path("größe ö.txt"), "größe ö.txt");
    EXPECT_EQ(quote_path("a\nb"), "\"a\\nb\"");
    EXPECT_EQ(quote_path("say \"hi\"\\"), "\"say \\\"hi\\\"\\\\\"");
    EXPECT_EQ(quote_path("\xff\x1b"), "\"\\377\\033\"");
}

TEST(IsUtf8, RefusesWhatIsOverlongCutOrASurrogate) {
    EXPECT_TRUE(is_utf8("aä€😀"));
    EXPECT_FALSE(is_utf8("\xc0\x80"));
    EXPECT_FALSE(is_utf8("\xe2\x82"));
    EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
    EXPECT_FALSE(is_utf8("\xf5\x80\x80\x80"));
}

} // namespace
} // namespace banger::cli
