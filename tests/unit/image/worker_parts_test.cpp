// The parts of banger-image-worker that make a kernel bootable.

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/image/worker/initramfs.hpp"
#include "daemon/image/worker/modules.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/image/worker/vmlinux.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/kernel_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>

using namespace banger;
using namespace banger::image;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr const char *dependencies =
    "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/drivers/virtio/virtio_ring.ko:\n"
    "kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz "
    "kernel/net/core/failover.ko.xz kernel/drivers/virtio/virtio_ring.ko "
    "kernel/drivers/virtio/virtio.ko\n"
    "kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz\n"
    "kernel/net/core/failover.ko.xz:\n";

std::vector<std::string> names(const std::vector<std::string> &files) {
    std::vector<std::string> result;
    result.reserve(files.size());
    for (const auto &file : files) {
        result.push_back(ModuleDependencies::module_name(file));
    }
    return result;
}

TEST(Modules, AreLoadedAfterWhatTheyNeedWithoutWhatIsBuiltIn) {
    const ModuleDependencies modules{dependencies};
    constexpr auto wanted = std::to_array<std::string_view>({"virtio_net", "virtio", "ext4"});
    EXPECT_THAT(names(modules.load_order(wanted)),
                ElementsAre("virtio_ring", "virtio", "failover", "net_failover", "virtio_net"));
}

TEST(Modules, CompressedOnesAreUnpacked) {
    const test::TemporaryDirectory directory;
    write_file_atomically(directory / "a.ko", "plain");
    EXPECT_EQ(read_module(directory / "a.ko"), "plain");
    const auto path = directory / "b.ko.xz";
    write_file_atomically(path, test::packed("packed", archive_write_add_filter_xz));
    EXPECT_EQ(read_module(path), "packed");
}

TEST(Vmlinux, IsTakenOutOfABzImage) {
    const std::string elf = test::vmlinux();
    const auto taken = [&](int (*add_filter)(archive *), bool size_appended) {
        return vmlinux_from_bzimage(test::bzimage(elf, add_filter, size_appended), "it");
    };
    EXPECT_EQ(taken(archive_write_add_filter_gzip, false), elf);
    EXPECT_EQ(taken(archive_write_add_filter_xz, true), elf);
    EXPECT_EQ(taken(archive_write_add_filter_zstd, true), elf);
}

TEST(Vmlinux, DamagedImagesAreRefused) {
    const std::string good = test::bzimage(test::vmlinux(), archive_write_add_filter_gzip, false);
    EXPECT_THROW(vmlinux_from_bzimage("", "it"), Error);
    EXPECT_THROW(vmlinux_from_bzimage(std::string(4096, 'x'), "it"), Error);
    EXPECT_THROW(vmlinux_from_bzimage(good.substr(0, 1200), "it"), Error);
    const std::string no_elf =
        test::bzimage("no elf at all, but long enough", archive_write_add_filter_gzip, false);
    EXPECT_THROW(vmlinux_from_bzimage(no_elf, "it"), Error);
}

TEST(Initramfs, HoldsInitAgentAndModulesInTheirOrder) {
    const test::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "boot-modules");
    write_file_atomically(directory / "boot-modules/order", "b.ko\na.ko\n");
    write_file_atomically(directory / "boot-modules/a.ko", "module a");
    write_file_atomically(directory / "boot-modules/b.ko", "module b");
    write_file_atomically(directory / "init", "the init");
    write_file_atomically(directory / "agent", "the agent");
    FdPair pipe = make_pipe();
    Report report{pipe.second.get()};
    const auto assemble = [&](const std::string &name) {
        write_initramfs(
            {directory.path(), directory / "init", directory / "agent", directory / name}, report);
        return read_file(directory / name);
    };
    const std::string cpio = assemble("one");
    EXPECT_EQ(cpio, assemble("two")) << "equal parts give equal bytes";
    EXPECT_TRUE(cpio.starts_with("070701")) << "what the kernel unpacks";
    EXPECT_THAT(cpio, HasSubstr("the init"));
    EXPECT_THAT(cpio, HasSubstr("the agent"));
    EXPECT_THAT(cpio, HasSubstr("/banger/modules.d/b.ko\n/banger/modules.d/a.ko\n"));
    EXPECT_THAT(cpio, HasSubstr("module a"));
}

TEST(Initramfs, TheUsersOwnInitrdComesFirst) {
    const test::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "boot-modules");
    write_file_atomically(directory / "boot-modules/order", "");
    write_file_atomically(directory / "init", "the init");
    write_file_atomically(directory / "agent", "the agent");
    write_file_atomically(directory / "initrd", "\x1f\x8b the user's");
    FdPair pipe = make_pipe();
    Report report{pipe.second.get()};
    write_initramfs({directory.path(), directory / "init", directory / "agent", directory / "both"},
                    report);
    const std::string both = read_file(directory / "both");
    EXPECT_TRUE(both.starts_with("\x1f\x8b the user's"));
    const auto own = both.find("070701");
    ASSERT_NE(own, std::string::npos);
    EXPECT_EQ(own % 4, 0U) << "where the kernel looks for the next archive";
    EXPECT_GE(own - std::strlen("\x1f\x8b the user's"), 4U)
        << "zeros that end a compressed one, whatever it is packed by";
    EXPECT_THAT(both, HasSubstr("the init"));
}

TEST(OutputFile, HasNoNameBeforeItIsPublished) {
    const test::TemporaryDirectory directory;
    const auto path = directory / "file";
    { const OutputFile abandoned{path}; }
    EXPECT_FALSE(std::filesystem::exists(path));
    {
        OutputFile file{path};
        write_all(file.fd(), "content", "test");
        file.publish();
    }
    EXPECT_EQ(read_file(path), "content");
    EXPECT_THROW(OutputFile{path}, Error);
}

} // namespace
