#include "daemon/vmm/launch.hpp"
#include "tests/unit/vmm/example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::vmm {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t tsc = 2'400'000;

/// The values of one option, in order.
std::vector<std::string> values_of(const Launch &launch, const std::string &option) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i + 1 < launch.arguments.size(); ++i) {
        if (launch.arguments[i] == option) {
            values.push_back(launch.arguments[i + 1]);
        }
    }
    return values;
}

Json config_of(const Launch &launch) {
    return Json::parse(launch.written.at(0).content);
}

TEST(QemuDriver, SoftwareEmulationBoundsItsCacheAndTellsTheGuestTheTsc) {
    const Launch launch = plan_launch(example_machine(), tsc);
    EXPECT_THAT(values_of(launch, "-accel"), ElementsAre("tcg,thread=multi,tb-size=256"));
    EXPECT_THAT(values_of(launch, "-cpu"), ElementsAre("max"));
    EXPECT_THAT(values_of(launch, "-append").at(0),
                AllOf(HasSubstr("tsc_early_khz=2400000 tsc=reliable"), HasSubstr("console=ttyS0"),
                      HasSubstr("panic=1"), HasSubstr("net.ifnames=0")));
    EXPECT_TRUE(launch.devices.empty());
}

TEST(QemuDriver, KvmUsesTheHostsProcessorAndClock) {
    Machine machine = example_machine();
    machine.accelerator = Accelerator::Kvm;
    const Launch launch = plan_launch(machine, tsc);
    EXPECT_THAT(values_of(launch, "-accel"), ElementsAre("kvm"));
    EXPECT_THAT(values_of(launch, "-cpu"), ElementsAre("host"));
    EXPECT_THAT(values_of(launch, "-append").at(0), Not(HasSubstr("tsc_early_khz")));
    EXPECT_THAT(launch.devices, ElementsAre("/dev/kvm"));
}

TEST(QemuDriver, DisksComeInOrderAndOnlyWritableOnesAreWritten) {
    const Launch launch = plan_launch(example_machine(), tsc);
    const auto drives = values_of(launch, "-drive");
    ASSERT_EQ(drives.size(), 2U);
    EXPECT_THAT(drives[0], AllOf(HasSubstr("id=image,file=image.disk"), HasSubstr("read-only=on")));
    EXPECT_THAT(drives[1], AllOf(HasSubstr("id=overlay,file=overlay.disk"),
                                 HasSubstr("discard=unmap"), Not(HasSubstr("read-only"))));
    EXPECT_THAT(values_of(launch, "-device"), Contains("virtio-blk-device,drive=image"));
}

TEST(QemuDriver, TheTapComesAsADescriptorAndTheChannelAsASocket) {
    const Launch launch = plan_launch(example_machine(), tsc);
    EXPECT_TRUE(launch.tap_by_descriptor);
    EXPECT_THAT(values_of(launch, "-netdev"), ElementsAre("tap,id=net,fd=3"));
    EXPECT_THAT(values_of(launch, "-device"),
                AllOf(Contains("virtio-net-device,netdev=net,mac=06:00:ac:10:00:02"),
                      Contains("virtserialport,chardev=channel,name=org.banger.channel")));
    EXPECT_THAT(values_of(launch, "-chardev"),
                Contains("socket,id=channel,path=channel.sock,server=on,wait=off"));
    EXPECT_EQ(launch.opening, ChannelOpening::HostConnects);
    EXPECT_EQ(launch.channel_socket, "channel.sock");
}

TEST(QemuDriver, AMachineWithoutNicHasNoNetDevice) {
    Machine machine = example_machine();
    machine.nic.reset();
    const Launch launch = plan_launch(machine, tsc);
    EXPECT_TRUE(values_of(launch, "-netdev").empty());
    EXPECT_FALSE(launch.tap_by_descriptor);
}

TEST(FirecrackerDriver, DescribesTheWholeMachineInItsConfigFile) {
    const Launch launch = plan_launch(example_firecracker_machine(), 0);
    const Json config = config_of(launch);
    EXPECT_EQ(config["machine-config"]["vcpu_count"], 2);
    EXPECT_EQ(config["machine-config"]["mem_size_mib"], 1024);
    EXPECT_EQ(config["boot-source"]["kernel_image_path"], "kernel");
    EXPECT_EQ(config["boot-source"]["initrd_path"], "initrd");
    EXPECT_EQ(config["vsock"], Json({{"guest_cid", 3}, {"uds_path", "vsock.sock"}}));
    EXPECT_EQ(config["network-interfaces"][0]["host_dev_name"], "bngr0-2");
    EXPECT_EQ(config["drives"][0]["is_read_only"], true);
    EXPECT_EQ(config["drives"][1]["path_on_host"], "overlay.disk");
    EXPECT_EQ(config["drives"][1]["cache_type"], "Writeback");
    EXPECT_EQ(config["drives"][1]["is_root_device"], false);
    EXPECT_THAT(launch.devices, ElementsAre("/dev/kvm", "/dev/net/tun"));
    EXPECT_EQ(launch.opening, ChannelOpening::GuestDials);
    EXPECT_EQ(launch.channel_socket, "vsock.sock_1024");
}

TEST(FirecrackerDriver, KeepsTheConsoleAndLetsModulesLoad) {
    const std::string line =
        config_of(plan_launch(example_firecracker_machine(), 0))["boot-source"]["boot_args"];
    EXPECT_THAT(line,
                AllOf(HasSubstr("console=ttyS0"), HasSubstr("8250.nr_uarts=1"),
                      HasSubstr("reboot=k"), HasSubstr("panic=1"), Not(HasSubstr("nomodule"))));
}

TEST(Drivers, NothingTellsTwoMachinesOfOneShapeApart) {
    for (Machine machine : {example_machine(), example_firecracker_machine()}) {
        machine.nic.reset();
        const Launch one = plan_launch(machine, tsc);
        machine.name = "other";
        machine.runtime_directory = "/run/user/1000/banger/vm/other";
        machine.disks[1].path = "/state/vms/other/overlay.ext4";
        const Launch other = plan_launch(machine, tsc);
        EXPECT_EQ(one.arguments, other.arguments);
        ASSERT_EQ(one.written.size(), other.written.size());
        for (std::size_t i = 0; i < one.written.size(); ++i) {
            EXPECT_EQ(one.written[i].content, other.written[i].content);
        }
    }
}

TEST(Drivers, TheKernelCommandLineStaysWithinTheKernelsLimit) {
    EXPECT_LT(values_of(plan_launch(example_machine(), tsc), "-append").at(0).size(), 1024U);
}

} // namespace
} // namespace banger::vmm
