#include "cli/git.hpp"

#include <gtest/gtest.h>

namespace banger::cli {
namespace {

TEST(WithoutCredentials, DropsPasswordsAndTokens) {
    EXPECT_EQ(without_credentials("https://token@example.org/a.git"), "https://example.org/a.git");
    EXPECT_EQ(without_credentials("https://user:secret@example.org/a@b"),
              "https://example.org/a@b");
    EXPECT_EQ(without_credentials("https://u:p@ss@example.org/"), "https://example.org/");
    EXPECT_EQ(without_credentials("ssh://git:secret@example.org/a"), "ssh://git@example.org/a");
}

TEST(WithoutCredentials, LeavesTheRestAlone) {
    for (const char *url : {"https://example.org/a.git", "git@example.org:a.git",
                            "ssh://git@example.org:22/a", "/srv/a@b.git", "../a"}) {
        EXPECT_EQ(without_credentials(url), url);
    }
}

TEST(SplitNul, KeepsEveryByteOfAName) {
    const std::string list{"a\nb\0\"c\"\0", 8};
    EXPECT_EQ(split_nul(list), (std::vector<std::string>{"a\nb", "\"c\""}));
    EXPECT_TRUE(split_nul("").empty());
}

} // namespace
} // namespace banger::cli
