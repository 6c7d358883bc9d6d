#include "daemon/vmm/confinement.hpp"
#include "tests/unit/vmm/example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace banger::vmm {
namespace {

using testing::Contains;
using testing::Not;

bool has_sequence(const std::vector<std::string> &argv, const std::vector<std::string> &part) {
    return std::search(argv.begin(), argv.end(), part.begin(), part.end()) != argv.end();
}

Command confined(const Machine &machine) {
    return confined_command(plan_launch(machine, 1'000'000), machine.runtime_directory / "vmm",
                            {.bubblewrap = "/usr/bin/bwrap", .status_descriptor = {}}, 7);
}

TEST(Confinement, TheVmmSeesItsOwnFilesUnderFixedNames) {
    const auto argv = confined(example_machine()).argv;
    EXPECT_EQ(argv.front(), "/usr/bin/bwrap");
    EXPECT_TRUE(has_sequence(argv, {"--bind", "/run/user/1000/banger/vm/sandbox/vmm", "/vm"}));
    EXPECT_TRUE(has_sequence(argv, {"--ro-bind", "/state/images/i/rootfs.ext4", "/vm/image.disk"}));
    EXPECT_TRUE(
        has_sequence(argv, {"--bind", "/state/vms/sandbox/overlay.ext4", "/vm/overlay.disk"}));
    EXPECT_TRUE(has_sequence(argv, {"--chdir", "/vm", "--", "/usr/bin/qemu-system-x86_64", "-M"}));
}

TEST(Confinement, NoWayOutAndNoRights) {
    const auto argv = confined(example_machine()).argv;
    for (const char *option :
         {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
          "--die-with-parent", "--new-session", "--clearenv"}) {
        EXPECT_THAT(argv, Contains(option));
    }
    EXPECT_TRUE(has_sequence(argv, {"--cap-drop", "ALL"}));
    EXPECT_THAT(argv, Not(Contains("/home")));
    EXPECT_THAT(argv, Not(Contains("/run")));
}

TEST(Confinement, TheTapOfQemuIsADescriptorAndItsNetworkNamespaceEmpty) {
    const Command command = confined(example_machine());
    EXPECT_THAT(command.descriptors, Contains(std::pair{7, tap_descriptor}));
    EXPECT_TRUE(command.die_with_parent);
}

TEST(Confinement, FirecrackerOpensItsTapByNameInTheHostsNetwork) {
    const auto argv = confined(example_firecracker_machine()).argv;
    EXPECT_THAT(argv, Not(Contains("--unshare-net")));
    EXPECT_TRUE(has_sequence(argv, {"--dev-bind", "/dev/kvm", "/dev/kvm"}));
    EXPECT_TRUE(has_sequence(argv, {"--dev-bind", "/dev/net/tun", "/dev/net/tun"}));
    EXPECT_TRUE(has_sequence(
        argv, {"--ro-bind", "/opt/firecracker/firecracker", "/opt/firecracker/firecracker"}));
}

TEST(Confinement, UnconfinedRunsTheSameArgumentsInTheVmmsDirectory) {
    const Launch launch = plan_launch(example_machine(), 1'000'000);
    const Command command = unconfined_command(launch, "/run/x/vmm", 7);
    EXPECT_EQ(command.argv.front(), "/usr/bin/qemu-system-x86_64");
    EXPECT_EQ(command.working_directory, "/run/x/vmm");
    EXPECT_EQ(command.argv.size(), launch.arguments.size() + 1);
}

TEST(Confinement, ARealConfinedProcessSeesNeitherHomeNorProcesses) {
    Launch launch;
    launch.binary = "/usr/bin/ls";
    launch.arguments = {"-1", "/", "."};
    launch.files = {{.name = "kernel", .source = "/etc/hostname", .read_only = true}};
    const auto directory = std::filesystem::path(testing::TempDir()) / "confinement";
    std::filesystem::create_directories(directory);
    std::string seen;
    try {
        seen = run_and_read(confined_command(launch, directory, {}, {}));
    } catch (const std::exception &e) {
        GTEST_SKIP() << "bubblewrap does not work here: " << e.what();
    }
    EXPECT_EQ(seen.find("home"), std::string::npos);
    EXPECT_EQ(seen.find("proc"), std::string::npos);
    EXPECT_EQ(seen.find("run"), std::string::npos);
    EXPECT_NE(seen.find("kernel"), std::string::npos);
}

} // namespace
} // namespace banger::vmm
