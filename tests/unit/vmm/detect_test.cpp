#include "base/error.hpp"
#include "daemon/vmm/detect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::vmm {
namespace {

using config::VmmChoice;
using testing::HasSubstr;

HostFacts workstation() {
    return {.firecracker = "/usr/local/bin/firecracker",
            .qemu = "/usr/bin/qemu-system-x86_64",
            .kvm = KvmDevice::Opens,
            .hardware_virtualisation = true,
            .user = "alice"};
}

Error refusal(const Wish &wish, const HostFacts &facts) {
    try {
        choose(wish, facts);
    } catch (const Error &e) {
        return e;
    }
    return Error(ErrorCode::Internal, "nothing was refused");
}

TEST(ChooseVmm, FirecrackerWhereItIsFoundAndKvmIsUsable) {
    const Selection selection = choose({}, workstation());
    EXPECT_EQ(selection.kind, Kind::Firecracker);
    EXPECT_EQ(selection.accelerator, Accelerator::Kvm);
    EXPECT_EQ(selection.binary, "/usr/local/bin/firecracker");
}

TEST(ChooseVmm, QemuWithKvmWhereThereIsNoFirecracker) {
    HostFacts facts = workstation();
    facts.firecracker.reset();
    const Selection selection = choose({}, facts);
    EXPECT_EQ(selection.kind, Kind::Qemu);
    EXPECT_EQ(selection.accelerator, Accelerator::Kvm);
    EXPECT_THAT(selection.reason, HasSubstr("no firecracker in PATH"));
}

TEST(ChooseVmm, SoftwareEmulationWithoutKvm) {
    HostFacts facts = workstation();
    facts.kvm = KvmDevice::Absent;
    const Selection selection = choose({}, facts);
    EXPECT_EQ(selection.kind, Kind::Qemu);
    EXPECT_EQ(selection.accelerator, Accelerator::Tcg);
    EXPECT_THAT(selection.reason, HasSubstr("there is no /dev/kvm"));
}

TEST(ChooseVmm, AnOpenableDeviceAloneDoesNotProveKvm) {
    HostFacts facts = workstation();
    facts.hardware_virtualisation = false;
    EXPECT_EQ(choose({}, facts).accelerator, Accelerator::Tcg);
    EXPECT_THAT(choose({}, facts).reason, HasSubstr("kvm_intel"));
    EXPECT_EQ(choose({.trust_kvm = true}, facts).kind, Kind::Firecracker);
}

TEST(ChooseVmm, KvmThatIsNotPermittedIsAnErrorThatNamesTheCure) {
    HostFacts facts = workstation();
    facts.kvm = KvmDevice::Denied;
    for (const VmmChoice choice : {VmmChoice::Auto, VmmChoice::Firecracker, VmmChoice::Qemu}) {
        const Error error = refusal({.vmm = choice}, facts);
        EXPECT_EQ(error.code(), ErrorCode::NotAuthorized);
        EXPECT_THAT(error.what(), HasSubstr("usermod -aG kvm alice"));
    }
}

TEST(ChooseVmm, WhoHasJustJoinedGroupKvmIsToldWhatIsStillMissing) {
    HostFacts facts = workstation();
    facts.kvm = KvmDevice::Denied;
    facts.joined_kvm_group = true;
    const Error error = refusal({}, facts);
    EXPECT_EQ(error.code(), ErrorCode::NotAuthorized);
    EXPECT_THAT(error.what(), HasSubstr("systemctl restart user@"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("usermod")));
}

TEST(ChooseVmm, QemuOnDemandThoughFirecrackerIsThere) {
    const Selection selection = choose({.vmm = VmmChoice::Qemu}, workstation());
    EXPECT_EQ(selection.kind, Kind::Qemu);
    EXPECT_EQ(selection.accelerator, Accelerator::Kvm);
}

TEST(ChooseVmm, FirecrackerOnDemandIsNeverReplaced) {
    HostFacts facts = workstation();
    facts.kvm = KvmDevice::Absent;
    EXPECT_EQ(refusal({.vmm = VmmChoice::Firecracker}, facts).code(), ErrorCode::VmmFailed);
    facts = workstation();
    facts.firecracker.reset();
    EXPECT_THAT(refusal({.vmm = VmmChoice::Firecracker}, facts).what(),
                HasSubstr("vmm = \"auto\""));
}

TEST(ChooseVmm, NoVmmAtAllSaysWhatToInstall) {
    HostFacts facts = workstation();
    facts.firecracker.reset();
    facts.qemu.reset();
    const Error error = refusal({}, facts);
    EXPECT_EQ(error.code(), ErrorCode::VmmFailed);
    EXPECT_THAT(error.what(), HasSubstr("apt install qemu-system-x86"));
}

TEST(ProbeVmm, AConfiguredBinaryThatIsNotThereIsNotReplacedByPath) {
    const HostFacts facts = probe({.qemu_bin = "/nonexistent/qemu"});
    EXPECT_FALSE(facts.qemu);
}

TEST(ProbeVmm, FindsAConfiguredBinary) {
    EXPECT_EQ(probe({.firecracker_bin = "/bin/true"}).firecracker, "/bin/true");
}

} // namespace
} // namespace banger::vmm
