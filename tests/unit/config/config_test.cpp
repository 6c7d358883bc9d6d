#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/paths.hpp"
#include "daemon/config/config.hpp"

#include <gtest/gtest.h>

namespace banger::config {
namespace {

const HostSize host{8, 16 * GiB};

Config parsed(std::string_view text) {
    return parse(text, "config.toml", host);
}

std::string refusal(std::string_view text) {
    try {
        parsed(text);
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
        return e.what();
    }
    return "accepted";
}

TEST(Config, WithoutAFileTheSizesFollowTheHost) {
    const Config config = load("/nonexistent/config.toml", host);
    EXPECT_EQ(config.default_image_name.value, "debian-bookworm");
    EXPECT_EQ(config.vm_defaults.vcpu.value, 2U);
    EXPECT_EQ(config.vm_defaults.vcpu.origin, Origin::HostDerived);
    EXPECT_EQ(config.vm_defaults.memory_mib.value, 2048U);
    EXPECT_EQ(config.vm_defaults.disk_bytes.value, 8 * GiB);
    EXPECT_EQ(config.vm_defaults.disk_bytes.origin, Origin::BuiltIn);
    EXPECT_FALSE(config.vm_defaults.nat.value);
}

TEST(Config, SizesHaveAFloorAndACeiling) {
    const VmDefaults small = defaults({2, 2 * GiB}).vm_defaults;
    EXPECT_EQ(small.vcpu.value, 1U);
    EXPECT_EQ(small.vcpu.origin, Origin::BuiltIn);
    EXPECT_EQ(small.memory_mib.value, 512U);
    const VmDefaults large = defaults({128, 1024 * GiB}).vm_defaults;
    EXPECT_EQ(large.vcpu.value, 4U);
    EXPECT_EQ(large.memory_mib.value, 8192U);
}

TEST(Config, TheFileWins) {
    const Config config = parsed(R"(
default_image_name = "work"
vmm = "qemu"
auto_stop_stale_after = "2h"
ssh_key_path = "~/.ssh/id"
[vm_defaults]
vcpu = 6
memory_mib = 1024
disk_size = "16G"
nat = true
[network]
dns_port = 5300
allow_host = true
[[file_sync]]
host = "~/.gitconfig"
guest = "~/.gitconfig"
mode = "0644"
[[catalog]]
path = "/srv/catalog"
[[registry]]
host = "docker.io"
mirrors = ["mirror.lan:5000", "https://cache.example.org/hub"]
[[registry]]
host = "registry.lan"
insecure = true
)");
    EXPECT_EQ(config.default_image_name.value, "work");
    EXPECT_EQ(config.vmm.value, VmmChoice::Qemu);
    EXPECT_EQ(config.auto_stop_stale_after.value, std::chrono::hours{2});
    EXPECT_EQ(config.ssh_key_path.value, home_directory() / ".ssh/id");
    EXPECT_EQ(config.vm_defaults.vcpu.value, 6U);
    EXPECT_EQ(config.vm_defaults.vcpu.origin, Origin::Config);
    EXPECT_EQ(config.vm_defaults.disk_bytes.value, 16 * GiB);
    EXPECT_TRUE(config.vm_defaults.nat.value);
    EXPECT_EQ(config.dns_port.value, 5300);
    EXPECT_TRUE(config.allow_host.value);
    ASSERT_EQ(config.file_sync.size(), 1U);
    EXPECT_EQ(config.file_sync[0].guest, "/root/.gitconfig");
    EXPECT_EQ(config.file_sync[0].mode, 0644U);
    ASSERT_EQ(config.catalogs.size(), 1U);
    ASSERT_EQ(config.registries.size(), 2U);
    EXPECT_EQ(config.registries[0].host, "docker.io");
    EXPECT_EQ(config.registries[0].mirrors.at(1), "https://cache.example.org/hub");
    EXPECT_FALSE(config.registries[0].insecure);
    EXPECT_TRUE(config.registries[1].insecure);
}

TEST(Config, AMistakeIsNamedWithFileLineAndKey) {
    EXPECT_EQ(refusal("\n\ncolour = 1\n"), "config.toml:3: colour: is not known");
    EXPECT_EQ(refusal("[vm_defaults]\nmemory = 1\n"),
              "config.toml:2: vm_defaults.memory: is not known");
    EXPECT_EQ(refusal("vmm = 1\n"), "config.toml:1: vmm: must be a string");
    EXPECT_EQ(refusal("[vm_defaults]\nvcpu = 0\n"),
              "config.toml:2: vm_defaults.vcpu: cannot be 0: use 1 to 32");
    EXPECT_EQ(refusal("[vm_defaults]\nnat = \"yes\"\n"),
              "config.toml:2: vm_defaults.nat: must be true or false");
    EXPECT_EQ(refusal("vm_defaults = 3\n"),
              "config.toml:1: vm_defaults: must be a table, [vm_defaults]");
    EXPECT_EQ(refusal("[[registry]]\ninsecure = true\n"),
              "config.toml:1: registry[0] needs 'host'");
    EXPECT_EQ(refusal("[[registry]]\nhost = \"x\"\nmirrors = \"y\"\n"),
              "config.toml:3: registry[0].mirrors: must be a list of strings");
    EXPECT_NE(refusal("vmm = \n").find("config.toml:1: "), std::string::npos);
    EXPECT_NE(refusal("log_level = \"loud\"\n").find("log_level: 'loud' is not a log level"),
              std::string::npos);
    EXPECT_NE(refusal("default_image_name = \"../x\"\n").find("is not a name for a image"),
              std::string::npos);
}

TEST(Config, FileSyncEntriesThatLeaveTheirPlaceAreRefusedWithTheirIndex) {
    const auto entry = [](std::string_view host_path, std::string_view guest) {
        return refusal(fmt::format("[[file_sync]]\nhost = \"/a\"\nguest = \"~/a\"\n"
                                   "[[file_sync]]\nhost = \"{}\"\nguest = \"{}\"\n",
                                   host_path, guest));
    };
    for (const char *host_path : {"", "a", "~bob/a", "/a/../b"}) {
        EXPECT_NE(entry(host_path, "~/a").find("file_sync[1].host: "), std::string::npos)
            << host_path;
    }
    for (const char *guest : {"", "a", "/etc/passwd", "~/../x", "/root/../etc", "/root/", "~/"}) {
        EXPECT_NE(entry("/a", guest).find("file_sync[1].guest: "), std::string::npos) << guest;
    }
    EXPECT_NE(refusal("[[file_sync]]\nhost = \"/a\"\n").find("file_sync[0] needs"),
              std::string::npos);
    EXPECT_NE(refusal("[[file_sync]]\nhost = \"/a\"\nguest = \"~/a\"\nmode = \"999\"\n")
                  .find("file_sync[0].mode: "),
              std::string::npos);
}

TEST(Config, DurationsHaveAUnit) {
    EXPECT_EQ(parse_duration("0"), std::chrono::seconds{0});
    EXPECT_EQ(parse_duration("90s"), std::chrono::seconds{90});
    EXPECT_EQ(parse_duration("15m"), std::chrono::minutes{15});
    EXPECT_EQ(parse_duration("1d"), std::chrono::hours{24});
    for (const char *text : {"", "m", "-1s", "1w", "1 h", "99999999999s"}) {
        EXPECT_THROW(parse_duration(text), Error) << text;
    }
}

TEST(Config, EveryValueIsShownWithItsOrigin) {
    for (const Row &row : rows(parsed("[vm_defaults]\nmemory_mib = 700\n"))) {
        if (row.key == "vm_defaults.memory_mib") {
            EXPECT_EQ(row.value, "700");
            EXPECT_EQ(row.origin, Origin::Config);
        }
        if (row.key == "vm_defaults.disk_size") {
            EXPECT_EQ(row.value, "8 GiB");
        }
    }
}

} // namespace
} // namespace banger::config
