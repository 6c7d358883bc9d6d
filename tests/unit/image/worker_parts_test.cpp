// The parts of banger-image-worker that make a kernel bootable.

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/image/worker/initramfs.hpp"
#include "daemon/image/worker/modules.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/image/worker/vmlinux.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

TEST(Modules, AreLoadedAfterWhatTheyNeed) {
    const ModuleDependencies modules{dependencies, "kernel/fs/ext4/ext4.ko\n"};
    EXPECT_THAT(names(modules.load_order({"virtio_net", "virtio", "ext4"})),
                ElementsAre("virtio_ring", "virtio", "failover", "net_failover", "virtio_net"));
}

TEST(Modules, OneThatTheKernelLacksIsNamed) {
    const ModuleDependencies modules{dependencies, ""};
    try {
        modules.load_order({"overlay"});
        FAIL();
    } catch (const Error &error) {
        EXPECT_THAT(error.what(), HasSubstr("overlay"));
    }
}

TEST(Modules, CompressedOnesAreUnpacked) {
    const test::TemporaryDirectory directory;
    write_file_atomically(directory / "a.ko", "plain");
    EXPECT_EQ(read_module(directory / "a.ko"), "plain");
    const auto path = directory / "b.ko.xz";
    {
        const std::unique_ptr<archive, int (*)(archive *)> out{archive_write_new(),
                                                               archive_write_free};
        archive_write_add_filter_xz(out.get());
        archive_write_set_format_raw(out.get());
        archive_write_open_filename(out.get(), path.c_str());
        const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                              archive_entry_free};
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_write_header(out.get(), entry.get());
        archive_write_data(out.get(), "packed", 6);
    }
    EXPECT_EQ(read_module(path), "packed");
}

std::string elf_file() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_machine = EM_X86_64;
    return std::string(reinterpret_cast<const char *>(&header), sizeof header) +
           std::string(100'000, 'k');
}

/// A bzImage with one setup sector, whose payload was packed by the filter, and four bytes more
/// where it is not gzip.
std::string bzimage(const std::string &content, void (*add_filter)(archive *), bool size_appended) {
    const test::TemporaryDirectory directory;
    {
        const std::unique_ptr<archive, int (*)(archive *)> out{archive_write_new(),
                                                               archive_write_free};
        add_filter(out.get());
        archive_write_set_format_raw(out.get());
        archive_write_set_bytes_in_last_block(out.get(), 1);
        archive_write_open_filename(out.get(), (directory / "payload").c_str());
        const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                              archive_entry_free};
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_write_header(out.get(), entry.get());
        archive_write_data(out.get(), content.data(), content.size());
    }
    std::string payload = read_file(directory / "payload");
    if (size_appended) {
        payload += std::string("\x40\x0d\x03\x00", 4);
    }
    std::string image(1024 + 64, '\0');
    const auto put = [&](std::size_t at, auto value) {
        std::memcpy(image.data() + at, &value, sizeof value);
    };
    put(0x1f1, std::uint8_t{1});
    put(0x202, std::uint32_t{0x53726448});
    put(0x206, std::uint16_t{0x20f});
    put(0x248, std::uint32_t{64});
    put(0x24c, static_cast<std::uint32_t>(payload.size()));
    return image + payload + "trailing";
}

TEST(Vmlinux, IsTakenOutOfABzImage) {
    const std::string elf = elf_file();
    EXPECT_EQ(vmlinux_from_bzimage(bzimage(
                  elf, [](archive *a) { archive_write_add_filter_gzip(a); }, false)),
              elf);
    EXPECT_EQ(vmlinux_from_bzimage(bzimage(
                  elf, [](archive *a) { archive_write_add_filter_xz(a); }, true)),
              elf);
    EXPECT_EQ(vmlinux_from_bzimage(bzimage(
                  elf, [](archive *a) { archive_write_add_filter_zstd(a); }, true)),
              elf);
}

TEST(Vmlinux, DamagedImagesAreRefused) {
    const std::string good = bzimage(
        elf_file(), [](archive *a) { archive_write_add_filter_gzip(a); }, false);
    EXPECT_THROW(vmlinux_from_bzimage(""), Error);
    EXPECT_THROW(vmlinux_from_bzimage(std::string(4096, 'x')), Error);
    EXPECT_THROW(vmlinux_from_bzimage(good.substr(0, 1200)), Error);
    const std::string no_elf = bzimage(
        "no elf at all, but long enough", [](archive *a) { archive_write_add_filter_gzip(a); },
        false);
    EXPECT_THROW(vmlinux_from_bzimage(no_elf), Error);
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
