#include "agent/identity/apply.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace banger::identity {
namespace {

namespace fs = std::filesystem;

/// A guest's root directory that goes with the test. Owners can be set by root alone.
class Apply : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "gives files to root, which takes root";
        }
        std::string name = (fs::temp_directory_path() / "banger-apply-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        identity_.hostname = "sandbox";
        identity_.domain = "vm";
        identity_.machine_id = std::string(32, 'a');
        identity_.address = "172.16.0.2";
        identity_.resolver = "172.16.0.1";
        identity_.authorized_keys = {"ssh-ed25519 AAAA host"};
        identity_.ssh_host_keys = {{"ssh_host_ed25519_key", "secret\n"},
                                   {"ssh_host_ed25519_key.pub", "public\n"}};
        identity_.git_config = "[user]\n";
    }
    void TearDown() override {
        if (!root_.empty()) {
            fs::remove_all(root_);
        }
    }

    void apply_all() const {
        apply_files(identity_, root_);
        apply_ssh(identity_, root_);
        apply_home(identity_, root_);
    }
    void write(const std::string &path, std::string_view content) const {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << content;
    }
    std::string read(const std::string &path) const { return read_file(root_ / path); }
    unsigned mode(const std::string &path) const {
        struct stat now {};
        EXPECT_EQ(::lstat((root_ / path).c_str(), &now), 0) << path;
        return now.st_mode & 07777U;
    }

    fs::path root_;
    Identity identity_;
};

TEST_F(Apply, GivesAnEmptyRootWhatItNeeds) {
    apply_all();
    EXPECT_EQ(read("etc/hostname"), "sandbox\n");
    EXPECT_EQ(read("etc/machine-id"), std::string(32, 'a') + "\n");
    EXPECT_NE(read("etc/hosts").find("127.0.0.1 localhost\n"), std::string::npos);
    EXPECT_NE(read("etc/hosts").find("172.16.0.2 sandbox.vm sandbox\n"), std::string::npos);
    EXPECT_NE(read("etc/resolv.conf").find("nameserver 172.16.0.1\nsearch vm\n"),
              std::string::npos);
    EXPECT_EQ(mode("etc/ssh/ssh_host_ed25519_key"), 0600U);
    EXPECT_NE(read("etc/ssh/sshd_config.d/00-banger.conf").find("PasswordAuthentication no\n"),
              std::string::npos);
    EXPECT_EQ(mode("root"), 0755U);
    EXPECT_EQ(mode("root/.ssh"), 0700U);
    EXPECT_EQ(mode("root/.ssh/authorized_keys"), 0600U);
    EXPECT_EQ(read("root/.gitconfig"), "[user]\n");
}

TEST_F(Apply, TwiceChangesNothing) {
    apply_all();
    const std::string hosts = read("etc/hosts");
    struct stat before {};
    ASSERT_EQ(::stat((root_ / "etc/hosts").c_str(), &before), 0);
    apply_all();
    struct stat after {};
    ASSERT_EQ(::stat((root_ / "etc/hosts").c_str(), &after), 0);
    EXPECT_EQ(read("etc/hosts"), hosts);
    EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(Apply, KeepsWhatTheUserWroteAndReplacesOnlyItsOwnLines) {
    write("etc/hosts", "127.0.0.1 localhost\n10.0.0.1 database\n");
    write("root/.ssh/authorized_keys", "ssh-ed25519 USER mine\n");
    write("root/.gitconfig", "mine");
    apply_all();
    identity_.address = "172.16.0.9";
    identity_.authorized_keys = {"ssh-ed25519 CCCC new"};
    apply_all();
    EXPECT_NE(read("etc/hosts").find("10.0.0.1 database\n"), std::string::npos);
    EXPECT_NE(read("etc/hosts").find("172.16.0.9 sandbox.vm"), std::string::npos);
    EXPECT_EQ(read("etc/hosts").find("172.16.0.2"), std::string::npos);
    EXPECT_NE(read("root/.ssh/authorized_keys").find("USER mine\n"), std::string::npos);
    EXPECT_NE(read("root/.ssh/authorized_keys").find("CCCC new\n"), std::string::npos);
    EXPECT_EQ(read("root/.ssh/authorized_keys").find("AAAA"), std::string::npos);
    EXPECT_EQ(read("root/.gitconfig"), "mine");
}

TEST_F(Apply, ReplacesAResolvConfThatIsASymlinkAndDoesNotFollowIt) {
    fs::create_directories(root_ / "etc");
    write("victim", "untouched");
    fs::create_symlink("../victim", root_ / "etc/resolv.conf");
    apply_all();
    EXPECT_EQ(read("victim"), "untouched");
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(root_ / "etc/resolv.conf")));
}

TEST_F(Apply, PutsTheSettingsFirstWhereAnOldSshdReadsNoDropIns) {
    write("etc/ssh/sshd_config", "PasswordAuthentication yes\n");
    apply_all();
    const std::string config = read("etc/ssh/sshd_config");
    EXPECT_LT(config.find("PasswordAuthentication no"), config.find("PasswordAuthentication yes"));
}

TEST_F(Apply, LeavesASshdConfigAloneThatReadsDropIns) {
    const std::string config = "Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding yes\n";
    write("etc/ssh/sshd_config", config);
    apply_all();
    EXPECT_EQ(read("etc/ssh/sshd_config"), config);
}

TEST_F(Apply, NormalisesPermissions) {
    write("root/.ssh/authorized_keys", "");
    fs::permissions(root_ / "root", fs::perms::all);
    fs::permissions(root_ / "root/.ssh", fs::perms::all);
    fs::permissions(root_ / "root/.ssh/authorized_keys", fs::perms::all);
    ASSERT_EQ(::chown((root_ / "root").c_str(), 1000, 1000), 0);
    apply_all();
    EXPECT_EQ(mode("root"), 0755U);
    EXPECT_EQ(mode("root/.ssh"), 0700U);
    EXPECT_EQ(mode("root/.ssh/authorized_keys"), 0600U);
    struct stat now {};
    ASSERT_EQ(::stat((root_ / "root").c_str(), &now), 0);
    EXPECT_EQ(now.st_uid, 0U);
}

TEST(WithBlock, ReplacesItselfAndNothingElse) {
    const std::string once = with_block("a\nb", "x\n", false);
    EXPECT_TRUE(once.starts_with("a\nb\n"));
    const std::string twice = with_block(once + "c\n", "y\n", false);
    EXPECT_EQ(twice.find("x\n"), std::string::npos);
    EXPECT_TRUE(twice.ends_with("c\n"));
    EXPECT_TRUE(with_block("a\n", "x\n", true).ends_with("a\n"));
}

} // namespace
} // namespace banger::identity
