#include "agent/agent/environment.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace banger::agent {
namespace {

namespace fs = std::filesystem;

TEST(Environment, IsThatOfALogin) {
    User user;
    user.name = "alice";
    user.uid = 1000;
    user.home = "/home/alice";
    user.shell = "/bin/zsh";
    const Environment environment = login_environment(user, "/nonexistent");
    EXPECT_EQ(variable(environment, "HOME"), "/home/alice");
    EXPECT_EQ(variable(environment, "LOGNAME"), "alice");
    EXPECT_EQ(variable(environment, "SHELL"), "/bin/zsh");
    EXPECT_EQ(std::string(variable(environment, "PATH")).find("/sbin"), std::string::npos);
    user.uid = 0;
    EXPECT_NE(std::string(variable(login_environment(user, "/nonexistent"), "PATH")).find("/sbin"),
              std::string::npos);
}

TEST(Environment, TakesInWhatTheGuestSets) {
    std::string name = (fs::temp_directory_path() / "banger-env-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    fs::create_directories(fs::path(name) / "default");
    std::ofstream(fs::path(name) / "environment")
        << "# comment\nPATH=\"/opt/bin:/bin\"\nexport EDITOR=vi\nbad-name=1\nnonsense\n";
    std::ofstream(fs::path(name) / "default/locale") << "LANG='de_DE.UTF-8'\n";
    const Environment environment = login_environment({}, name);
    fs::remove_all(name);
    EXPECT_EQ(variable(environment, "PATH"), "/opt/bin:/bin");
    EXPECT_EQ(variable(environment, "EDITOR"), "vi");
    EXPECT_EQ(variable(environment, "LANG"), "de_DE.UTF-8");
    EXPECT_EQ(variable(environment, "bad-name"), "");
}

TEST(Environment, AVariableIsReplacedNotDoubled) {
    Environment environment{"A=1", "AB=2"};
    set_variable(environment, "A=3");
    set_variable(environment, "C=");
    EXPECT_EQ(environment, (Environment{"A=3", "AB=2", "C="}));
}

} // namespace
} // namespace banger::agent
