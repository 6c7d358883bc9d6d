#include "base/files.hpp"
#include "tests/integration/supervisor/harness.hpp"

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

namespace banger::supervisor {
namespace {

/// A real QEMU and a real kernel, whose initramfs is one busybox script. No agent: what the
/// supervisor does about a guest that never answers.
class RealQemuTest : public SupervisorTest {
protected:
    void SetUp() override {
        const char *kernel = std::getenv("BANGER_TEST_KERNEL");
        if (kernel == nullptr) {
            GTEST_SKIP() << "BANGER_TEST_KERNEL names no vmlinux of Debian's cloud kernel";
        }
        if (!std::filesystem::exists("/usr/bin/qemu-system-x86_64")) {
            GTEST_SKIP() << "qemu-system-x86 is not installed";
        }
        machine.binary = "/usr/bin/qemu-system-x86_64";
        machine.kernel = kernel;
        machine.initrd = root_ / "initrd.cpio";
        std::filesystem::resize_file(root_ / "overlay.ext4", 1U << 20U);
    }

    void make_initramfs(const std::string &script) const {
        const auto tree = root_ / "tree";
        std::filesystem::create_directories(tree / "bin");
        std::filesystem::copy_file("/bin/busybox", tree / "bin/busybox");
        write_file_atomically(tree / "init", "#!/bin/busybox sh\n" + script + "\n", 0755);
        Command command;
        command.argv = {"sh", "-c", "find . | cpio -o -H newc --quiet"};
        command.working_directory = tree;
        write_file_atomically(machine.initrd, run_and_read(command));
    }
};

TEST_F(RealQemuTest, AGuestThatGoesDownWithoutAWordFailsTheUnit) {
    make_initramfs("/bin/busybox reboot -f");
    start();
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "panic");
}

TEST_F(RealQemuTest, APanicEndsTheVmm) {
    make_initramfs("exit 1");
    start();
    EXPECT_EQ(WEXITSTATUS(wait_for_end()), 1);
    EXPECT_EQ(last_exit().at("reason"), "panic");
}

TEST_F(RealQemuTest, AStopDuringTheBootEndsItAtOnce) {
    make_initramfs("while :; do /bin/busybox sleep 1; done");
    start();
    wait_for_notification("STATUS=Booting under QEMU");
    signal(SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_EQ(last_exit().at("reason"), "stopped");
    EXPECT_TRUE(vmm_processes().empty());
}

} // namespace
} // namespace banger::supervisor
