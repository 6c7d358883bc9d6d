#include "agent/identity/identity.hpp"
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace banger::identity {
namespace {

Identity example() {
    Identity identity;
    identity.hostname = "sandbox";
    identity.domain = "alice.vm";
    identity.machine_id = "0123456789abcdef0123456789abcdef";
    identity.address = "172.16.0.2";
    identity.gateway = "172.16.0.1";
    identity.resolver = "172.16.0.1";
    identity.mac = "06:00:ac:10:00:02";
    identity.authorized_keys = {"ssh-ed25519 AAAA alice@host"};
    identity.ssh_host_keys = {{"ssh_host_ed25519_key", "secret\n"},
                              {"ssh_host_ed25519_key.pub", "ssh-ed25519 BBBB\n"}};
    identity.git_config = "[user]\n\tname = Älice\n";
    identity.boot_generation = 3;
    identity.realtime_usec = 1700000000000000;
    return identity;
}

TEST(Identity, ComesBackFromJsonAsItWas) {
    const Identity again = identity_from_json(to_json(example()));
    EXPECT_EQ(to_json(again), to_json(example()));
    EXPECT_EQ(again.git_config, example().git_config);
    EXPECT_EQ(again.boot_generation, 3U);
}

TEST(Identity, RefusesWhatWouldHarmAGuestAndNamesTheField) {
    const auto refused = [](const auto &change, const char *field) {
        Identity identity = example();
        change(identity);
        try {
            identity_from_json(to_json(identity));
            ADD_FAILURE() << field << " was accepted";
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
            EXPECT_NE(std::string(error.what()).find(field), std::string::npos) << error.what();
        }
    };
    refused([](Identity &i) { i.hostname = ""; }, "hostname");
    refused([](Identity &i) { i.hostname = "a\nb"; }, "hostname");
    refused([](Identity &i) { i.hostname = std::string(64, 'a'); }, "hostname");
    refused([](Identity &i) { i.domain = "vm..x"; }, "domain");
    refused([](Identity &i) { i.domain = "vm\nnameserver 1.2.3.4"; }, "domain");
    refused([](Identity &i) { i.machine_id = "x"; }, "machine_id");
    refused([](Identity &i) { i.address = "300.1.1.1"; }, "address");
    refused([](Identity &i) { i.mac = "06:00"; }, "mac");
    refused([](Identity &i) { i.gateway = "gate"; }, "gateway");
    refused([](Identity &i) { i.resolver = "8.8.8.8\n"; }, "resolver");
    refused([](Identity &i) { i.prefix_length = 33; }, "prefix_length");
    refused([](Identity &i) { i.authorized_keys = {"key\nanother"}; }, "authorized_keys");
    refused([](Identity &i) { i.ssh_host_keys = {{"../passwd", "x"}}; }, "ssh_host_keys");
    refused([](Identity &i) { i.ssh_host_keys = {{"sshd_config", "x"}}; }, "ssh_host_keys");
}

TEST(Identity, RefusesWrongTypes) {
    for (const char *text :
         {"", "[]", "{", R"({"hostname":7})", R"({"hostname":"a","prefix_length":-1})",
          R"({"hostname":"a","authorized_keys":"k"})",
          R"({"hostname":"a","ssh_host_keys":{"ssh_host_x":1}})"}) {
        EXPECT_THROW(identity_from_json(text), Error) << text;
    }
}

TEST(ConfigDisk, HoldsTheIdentityAtADocumentedPlace) {
    const std::string image = config_disk_image(example());
    EXPECT_EQ(image.size() % 4096, 0U);
    EXPECT_EQ(image.substr(0, 16), "BANGER-IDENTITY\n");
    EXPECT_EQ(image[4096], '{');
    const auto again = identity_from_config_disk(image);
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), to_json(example()));
}

TEST(ConfigDisk, IsRecognisedByItsMagicAndRefusedWhenDamaged) {
    EXPECT_FALSE(identity_from_config_disk(std::string(8192, '\0')));
    EXPECT_FALSE(identity_from_config_disk("BANGER"));
    const std::string image = config_disk_image(example());
    EXPECT_THROW(identity_from_config_disk(image.substr(0, 100)), Error);
    EXPECT_THROW(identity_from_config_disk(image.substr(0, 4100)), Error);
    std::string huge = image;
    huge.replace(16, 8, std::string(8, '\xff'));
    EXPECT_THROW(identity_from_config_disk(huge), Error);
}

TEST(ConfigDisk, RefusesAnIdentityThatDoesNotFit) {
    Identity identity = example();
    identity.git_config = std::string(2U << 20U, 'x');
    EXPECT_THROW(config_disk_image(identity), Error);
}

} // namespace
} // namespace banger::identity
