#include "agent/agent/users.hpp"
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace banger::agent {
namespace {

namespace fs = std::filesystem;

class Users : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "banger-users-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        etc_ = name;
        std::ofstream(etc_ / "passwd") << "root:x:0:0:root:/root:/bin/bash\n"
                                          "broken line\n"
                                          "bad:x:many:0::/:/bin/sh\n"
                                          "alice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n"
                                          "daemon:x:1:1::/usr/sbin:\n";
        std::ofstream(etc_ / "group") << "root:x:0:\nalice:x:1000:\nsudo:x:27:bob,alice\n"
                                         "docker:x:999:alice\nalicex:x:5:alicex\n";
    }
    void TearDown() override { fs::remove_all(etc_); }

    fs::path etc_;
};

TEST_F(Users, AreFoundByNameWithTheirGroups) {
    const User user = find_user("alice", etc_);
    EXPECT_EQ(user.uid, 1000U);
    EXPECT_EQ(user.gid, 1000U);
    EXPECT_EQ(user.groups, (std::vector<gid_t>{1000, 27, 999}));
    EXPECT_EQ(user.home, "/home/alice");
    EXPECT_EQ(user.shell, "/bin/zsh");
}

TEST_F(Users, AreFoundByNumber) {
    EXPECT_EQ(find_user("1000", etc_).name, "alice");
    const User unknown = find_user("4242", etc_);
    EXPECT_EQ(unknown.uid, 4242U);
    EXPECT_EQ(unknown.home, "/");
}

TEST_F(Users, TakeAGroupByNameOrNumber) {
    EXPECT_EQ(find_user("alice:docker", etc_).gid, 999U);
    EXPECT_EQ(find_user("alice:docker", etc_).groups, (std::vector<gid_t>{999}));
    EXPECT_EQ(find_user("1000:7", etc_).gid, 7U);
}

TEST_F(Users, RootIsThereEvenInAnImageWithoutPasswd) {
    EXPECT_EQ(find_user("", etc_).home, "/root");
    EXPECT_EQ(find_user("", etc_ / "nothing").home, "/root");
    EXPECT_EQ(find_user("root", etc_ / "nothing").uid, 0U);
}

TEST_F(Users, ThatDoNotExistAreNamed) {
    for (const char *text : {"stranger", "bad", "alice:strangers", "broken line", ":"}) {
        try {
            find_user(text, etc_);
            ADD_FAILURE() << text << " was found";
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::NotFound);
        }
    }
}

TEST_F(Users, WithoutAShellGetTheUsualOne) {
    EXPECT_EQ(find_user("daemon", etc_).shell, "/bin/sh");
}

} // namespace
} // namespace banger::agent
