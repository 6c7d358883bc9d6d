#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/helper/network_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::helper {
namespace {

using ::testing::HasSubstr;

class NetworkConfigTest : public ::testing::Test {
protected:
    void TearDown() override { std::filesystem::remove(file_); }

    NetworkConfig load(const std::string &text) {
        write_file_atomically(file_, text);
        return NetworkConfig::load(file_);
    }
    std::string message_of(const std::string &text) {
        try {
            load(text);
        } catch (const Error &e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
            return e.what();
        }
        return "no error";
    }

    std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                  ("banger-network-" + std::to_string(getpid()) + ".toml");
};

TEST_F(NetworkConfigTest, IsTheDefaultWithoutAFile) {
    EXPECT_EQ(NetworkConfig::load("/nonexistent/network.toml").pool.str(), "172.16.0.0/12");
    EXPECT_EQ(load("").vm_domain_owner, "");
}

TEST_F(NetworkConfigTest, ReadsPoolAndOwner) {
    const auto config = load("[network]\npool = \"10.64.0.0/10\"\nvm_domain_owner = \"alice\"\n");
    EXPECT_EQ(config.pool.str(), "10.64.0.0/10");
    EXPECT_EQ(config.vm_domain_owner, "alice");
}

TEST_F(NetworkConfigTest, NamesFileLineAndKeyOfWhatIsWrong) {
    EXPECT_THAT(message_of("[network]\n\npoll = \"10.0.0.0/8\"\n"),
                HasSubstr(file_.string() + ":3: 'poll' is not known"));
    EXPECT_THAT(message_of("[networks]\n"), HasSubstr(":1: 'networks' is not known"));
    EXPECT_THAT(message_of("[network]\npool = 7\n"), HasSubstr(":2: 'pool' must be a string"));
    EXPECT_THAT(message_of("[network]\npool = \"10.0.0.1/8\"\n"),
                HasSubstr("did you mean 10.0.0.0/8"));
    EXPECT_THAT(message_of("[network]\npool = \"10.0.0.0/25\"\n"), HasSubstr("8 to 24 bits"));
    EXPECT_THAT(message_of("[network\n"), HasSubstr(":1: "));
}

} // namespace
} // namespace banger::helper
