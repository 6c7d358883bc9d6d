#include "agent/init/guest_files.hpp"
#include "base/files.hpp"
#include "tests/unit/init/image_tree.hpp"

namespace banger::init {
namespace {

namespace fs = std::filesystem;

class GuestFiles : public ImageTree {
protected:
    void SetUp() override {
        ImageTree::SetUp();
        std::ofstream(folder_ / "agent") << "the agent";
        layer_ = folder_ / "layer";
        fs::create_directory(layer_);
    }

    void write() const { write_guest_files(layer_, folder_ / "agent", image_); }
    bool has(const std::string &path) const {
        return fs::exists(fs::symlink_status(layer_ / path));
    }

    fs::path layer_;
};

TEST_F(GuestFiles, AreFewInAnImageThatHasNothing) {
    write();
    EXPECT_EQ(read_file(layer_ / "usr/lib/banger/agent"), "the agent");
    EXPECT_TRUE(has("etc/fstab"));
    EXPECT_FALSE(has("usr/lib/systemd"));
    EXPECT_FALSE(has("etc/systemd"));
    EXPECT_FALSE(has("lib"));
    EXPECT_FALSE(has("etc/crypttab"));
}

TEST_F(GuestFiles, HideTheDisksOfTheMachineThatTheImageCameFrom) {
    file("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
    file("etc/crypttab", "data /dev/sda2 none luks\n");
    write();
    EXPECT_EQ(read_file(layer_ / "etc/fstab").find("/dev/"), std::string::npos);
    EXPECT_EQ(read_file(layer_ / "etc/crypttab").find("/dev/"), std::string::npos);
}

class GuestFilesOf : public GuestFiles, public testing::WithParamInterface<const char *> {};

TEST_P(GuestFilesOf, AreWhereSystemdLooks) {
    const std::string systemd = GetParam();
    file(systemd + "/systemd");
    directory(systemd + "/system");
    write();
    EXPECT_TRUE(has(systemd + "/system/banger-login-ready.service"));
    EXPECT_EQ(fs::read_symlink(layer_ / "etc/systemd/system/getty@.service"), "/dev/null");
}

INSTANTIATE_TEST_SUITE_P(MergedAndNot, GuestFilesOf,
                         testing::Values("usr/lib/systemd", "lib/systemd"));

TEST_F(GuestFiles, AreBehindTheLinksOfAnImageAndHideNone) {
    link(".", "usr");
    link("/lib64", "lib");
    link("system/settings", "etc");
    directory("lib64/systemd/system");
    write();
    EXPECT_TRUE(has("lib64/banger/agent"));
    EXPECT_TRUE(has("lib64/systemd/system/banger-login-ready.service"));
    EXPECT_TRUE(has("system/settings/fstab"));
    EXPECT_FALSE(has("usr"));
    EXPECT_FALSE(has("lib"));
    EXPECT_FALSE(has("etc"));
}

TEST_F(GuestFiles, ReplaceALinkInTheirPlaceAndDoNotFollowIt) {
    link("/root/elsewhere", "etc/fstab");
    write();
    EXPECT_TRUE(fs::is_regular_file(layer_ / "etc/fstab"));
    EXPECT_FALSE(has("root"));
}

TEST_F(GuestFiles, UnmaskTheTargetsOfABootAndNothingElse) {
    directory("usr/lib/systemd/system");
    link("/dev/null", "etc/systemd/system/multi-user.target");
    link("/dev/null", "etc/systemd/system/ssh.service");
    write();
    EXPECT_EQ(fs::read_symlink(layer_ / "etc/systemd/system/multi-user.target"),
              "/usr/lib/systemd/system/multi-user.target");
    EXPECT_FALSE(has("etc/systemd/system/basic.target"));
    EXPECT_FALSE(has("etc/systemd/system/ssh.service"));
}

TEST_F(GuestFiles, LeaveAloneWhatTheImageHasMasked) {
    directory("usr/lib/systemd/system");
    file("usr/lib/systemd/user-environment-generators/90gpg-agent");
    link("/dev/null", "etc/systemd/user-environment-generators/90gpg-agent");
    write();
    EXPECT_FALSE(has("etc/systemd/user-environment-generators/90gpg-agent"));
}

} // namespace
} // namespace banger::init
