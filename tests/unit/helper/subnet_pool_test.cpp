#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/helper/subnet_pool.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace banger::helper {
namespace {

class SubnetPoolTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "banger-pool-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    Subnet allocate(uid_t owner, std::string_view name, const std::vector<Ipv4Prefix> &taken = {}) {
        return SubnetPool(file()).allocate(owner, name, pool_, taken);
    }
    std::filesystem::path file() const { return directory_ / "subnets.json"; }
    ErrorCode code_of_find() {
        try {
            SubnetPool(file()).find(1);
        } catch (const Error &e) {
            return e.code();
        }
        return ErrorCode::Internal;
    }

    std::filesystem::path directory_;
    Ipv4Prefix pool_ = Ipv4Prefix::parse("172.16.0.0/22");
};

TEST_F(SubnetPoolTest, GivesEachUserTheFirstFreeSubnetForEver) {
    EXPECT_EQ(allocate(1000, "alice").prefix.str(), "172.16.0.0/24");
    EXPECT_EQ(allocate(1001, "bob").prefix.str(), "172.16.1.0/24");
    EXPECT_EQ(allocate(1000, "renamed").number, 0U);
    EXPECT_EQ(SubnetPool(file()).find(1001)->gateway().str(), "172.16.1.1");
    EXPECT_EQ(SubnetPool(file()).find(1001)->reverse_zone(), "1.16.172.in-addr.arpa");
    EXPECT_FALSE(SubnetPool(file()).find(1002));
}

TEST_F(SubnetPoolTest, SkipsWhatTheHostUses) {
    EXPECT_EQ(allocate(1000, "alice",
                       {Ipv4Prefix::parse("172.16.0.7/32"), Ipv4Prefix::parse("172.16.1.0/24")})
                  .prefix.str(),
              "172.16.2.0/24");
}

TEST_F(SubnetPoolTest, IsUsedUpAtItsEnd) {
    for (uid_t uid = 0; uid < 4; ++uid) {
        allocate(uid, "");
    }
    EXPECT_THROW(allocate(4, "eve"), Error);
    EXPECT_EQ(allocate(3, "").number, 3U);
}

TEST_F(SubnetPoolTest, AChangedPoolLeavesWhatWasGiven) {
    allocate(1000, "alice");
    pool_ = Ipv4Prefix::parse("10.99.0.0/16");
    const auto moved = allocate(1001, "bob");
    EXPECT_EQ(moved.prefix.str(), "10.99.0.0/24");
    EXPECT_EQ(moved.number, 1U);
    EXPECT_EQ(allocate(1000, "alice").prefix.str(), "172.16.0.0/24");
}

TEST_F(SubnetPoolTest, ADamagedFileIsAnErrorAndStays) {
    const std::string entry =
        R"({"uid":1,"number":0,"subnet":"172.16.0.0/24","label":"a","first":true})";
    const std::string other =
        R"({"uid":2,"number":1,"subnet":"172.16.0.0/24","label":"b","first":false})";
    for (const std::string &text :
         {std::string{}, std::string{"{}"}, std::string{"[]"},
          std::string{R"({"version":2,"subnets":[]})"},
          std::string{R"({"version":1,"subnets":[{"uid":1}]})"},
          fmt::format(R"({{"version":1,"subnets":[{},{}]}})", entry, other),
          R"({"version":1,"subnets":[)" + entry}) {
        write_file_atomically(file(), text);
        EXPECT_EQ(code_of_find(), ErrorCode::StateCorrupt) << text;
        EXPECT_THROW(allocate(5, "x"), Error);
        EXPECT_EQ(read_file(file()), text);
    }
}

TEST_F(SubnetPoolTest, LabelsAreUnique) {
    EXPECT_EQ(allocate(1000, "Alice Smith").label, "alice-smith");
    EXPECT_EQ(allocate(1001, "alice_smith").label, "alice-smith-1001");
    EXPECT_EQ(allocate(1002, "").label, "u1002");
    EXPECT_EQ(dns_label_of("--"), "");
    EXPECT_EQ(dns_label_of(std::string(100, 'a')).size(), 63U);
}

TEST_F(SubnetPoolTest, WhoCameFirstHasVmUnlessTheAdministratorSaysOtherwise) {
    const auto first = allocate(1000, "alice");
    const auto second = allocate(1001, "bob");
    NetworkConfig config;
    EXPECT_EQ(domain_of(first, "alice", config), "vm");
    EXPECT_EQ(domain_of(second, "bob", config), "bob.vm");
    config.vm_domain_owner = "bob";
    EXPECT_EQ(domain_of(first, "alice", config), "alice.vm");
    EXPECT_EQ(domain_of(second, "bob", config), "vm");
}

} // namespace
} // namespace banger::helper
