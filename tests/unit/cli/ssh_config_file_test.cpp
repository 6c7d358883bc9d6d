#include "cli/ssh_config_file.hpp"

#include <gtest/gtest.h>

namespace banger::cli {
namespace {

constexpr const char *included = "/home/me/.config/banger/ssh_config";

TEST(SshConfigFile, InstallingAndUninstallingGivesBackEveryByte) {
    for (const std::string text : {"", "Host *\n    User me\n", "\n\n# no newline at the end",
                                   "Include other\n\nHost a\n"}) {
        const std::string installed = with_include(text, included);
        EXPECT_TRUE(has_include(installed));
        EXPECT_EQ(without_include(installed), text);
    }
}

TEST(SshConfigFile, TheIncludeStandsBeforeAnyHost) {
    const std::string installed = with_include("Host *\n    User me\n", included);
    EXPECT_LT(installed.find("Include \"/home/me/.config/banger/ssh_config\"\n"),
              installed.find("Host *"));
}

TEST(SshConfigFile, InstallingTwiceIsInstallingOnce) {
    const std::string once = with_include("Host a\n", included);
    EXPECT_EQ(with_include(once, included), once);
}

TEST(SshConfigFile, TextBeforeTheBlockStays) {
    const std::string moved = "# mine\n" + with_include("Host a\n", included);
    EXPECT_EQ(without_include(moved), "# mine\nHost a\n");
}

} // namespace
} // namespace banger::cli
