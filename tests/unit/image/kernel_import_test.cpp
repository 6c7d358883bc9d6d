// A kernel of the user's own, from whatever holds one.

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/image/worker/kernel_directory.hpp"
#include "daemon/image/worker/kernel_import.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/kernel_builder.hpp"

#include <archive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

using namespace banger;
using namespace banger::image;
using testing::HasSubstr;

namespace {

namespace fs = std::filesystem;

class ImportKernel : public testing::Test {
protected:
    static constexpr const char *release = "6.1.0-test";

    void put(const std::string &name, const std::string &content) {
        fs::create_directories((from_ / name).parent_path());
        write_file_atomically(from_ / name, content);
    }

    /// What the worker reports.
    nlohmann::json import() { return import_as({from_, {}, {}, {}}); }
    nlohmann::json import_as(KernelImport import) {
        import.output = directory_ / fmt::format("output{}", ++imports_);
        fs::create_directory(import.output);
        output_ = import.output;
        FdPair pipe = make_pipe();
        Report report{pipe.second.get()};
        import_kernel(import, report);
        pipe.second.reset();
        std::string lines(65536, '\0');
        const ssize_t n = ::read(pipe.first.get(), lines.data(), lines.size());
        lines.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return nlohmann::json::parse(lines.substr(lines.rfind('\n', lines.size() - 2) + 1))
            .at("result");
    }

    struct Refusal {
        ErrorCode code;
        std::string message;
    };
    Refusal refusal() { return refusal_of({from_, {}, {}, {}}); }
    Refusal refusal_of(const KernelImport &import) {
        try {
            import_as(import);
        } catch (const Error &error) {
            return {error.code(), error.what()};
        }
        ADD_FAILURE() << "taken";
        return {ErrorCode::Internal, ""};
    }

    test::TemporaryDirectory directory_;
    fs::path from_ = directory_ / "from";
    fs::path output_;
    int imports_ = 0;
};

TEST_F(ImportKernel, TakesWhatADistributionsPackageHolds) {
    put("boot/vmlinuz-6.1.0-test",
        test::bzimage(test::vmlinux(), archive_write_add_filter_zstd, true));
    test::write_modules(from_, release);
    const auto found = import();
    EXPECT_EQ(found["release"], release);
    EXPECT_EQ(found["has_modules"], true);
    EXPECT_EQ(found["has_initrd"], false);
    EXPECT_EQ(found["features_known"], true);
    EXPECT_EQ(found["missing"], nlohmann::json::array());
    EXPECT_EQ(read_file(output_ / "vmlinux"), test::vmlinux());
    EXPECT_THAT(read_file(output_ / "boot-modules/order"), HasSubstr("virtio_rng.ko\n"));
    const test::ReadBack disk{output_ / "modules.ext4"};
    EXPECT_TRUE(disk.entries().contains("usr/lib/modules/6.1.0-test/modules.dep"));
    EXPECT_TRUE(disk.entries().contains("usr/lib/modules/6.1.0-test/kernel/drivers/veth.ko"));
    EXPECT_FALSE(disk.entries().contains("usr/lib/modules/6.1.0-test/build"));
    EXPECT_FALSE(fs::exists(output_ / "unpacked"));
}

TEST_F(ImportKernel, EqualFilesGiveEqualDigestsWhereverTheyLie) {
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, release);
    const auto whole = import();
    fs::rename(from_ / "lib/modules", directory_ / "elsewhere");
    EXPECT_EQ(import_as({from_ / "vmlinux", directory_ / "elsewhere", {}, {}})["digest"],
              whole["digest"]);
    EXPECT_EQ(import_as({from_, directory_ / "elsewhere" / release, {}, {}})["digest"],
              whole["digest"]);
    EXPECT_EQ(describe_kernel(output_)["digest"], whole["digest"]);
}

TEST_F(ImportKernel, ABuildTreeIsTakenByItsBzImageAndItsConfiguration) {
    put("arch/x86/boot/bzImage",
        test::bzimage(test::vmlinux(), archive_write_add_filter_gzip, false));
    put("vmlinux", "with debugging symbols");
    put(".config", test::builtin_config());
    const auto found = import();
    EXPECT_EQ(found["features_known"], true);
    EXPECT_EQ(found["has_modules"], false);
    EXPECT_FALSE(fs::exists(output_ / "modules.ext4"));
    EXPECT_EQ(read_file(output_ / "boot-modules/order"), "");
}

TEST_F(ImportKernel, ABareKernelThatCarriesItsConfigurationIsChecked) {
    test::KernelShape shape;
    shape.config = test::builtin_config();
    put("vmlinux", test::vmlinux(shape));
    const auto found = import_as({from_ / "vmlinux", {}, {}, {}});
    EXPECT_EQ(found["features_known"], true);
    EXPECT_EQ(found["missing"], nlohmann::json::array());
    shape.config = "CONFIG_VIRTIO_BLK=y\n# CONFIG_EXT4_FS is not set\nCONFIG_OVERLAY_FS=m\n";
    put("vmlinux", test::vmlinux(shape));
    const auto refused = refusal_of({from_ / "vmlinux", {}, {}, {}});
    EXPECT_EQ(refused.code, ErrorCode::Unsupported);
    EXPECT_THAT(refused.message, HasSubstr("ext4 (CONFIG_EXT4_FS)"));
    EXPECT_THAT(refused.message, HasSubstr("overlay (CONFIG_OVERLAY_FS)"));
    EXPECT_THAT(refused.message, testing::Not(HasSubstr("virtio_blk")));
}

TEST_F(ImportKernel, WhereNothingSaysWhatIsBuiltInItIsTold) {
    put("vmlinux", test::vmlinux());
    const auto found = import();
    EXPECT_EQ(found["features_known"], false);
    EXPECT_EQ(found["missing"], nlohmann::json::array());
}

TEST_F(ImportKernel, WhatDockerLacksIsNamedAndRefusesNothing) {
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, release, "br_netfilter");
    EXPECT_EQ(import()["missing"], nlohmann::json::array({"br_netfilter"}));
}

TEST_F(ImportKernel, WhatIsBuiltInIsNotMissing) {
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, release, "ext4");
    write_file_atomically(from_ / "lib/modules" / release / "modules.builtin",
                          "kernel/fs/ext4/ext4.ko\n");
    EXPECT_EQ(import()["missing"], nlohmann::json::array());
    EXPECT_THAT(read_file(output_ / "boot-modules/order"), testing::Not(HasSubstr("ext4")));
}

TEST_F(ImportKernel, OneWayToReachAGuestIsEnough) {
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, release, "virtio_console");
    EXPECT_EQ(import()["missing"], nlohmann::json::array({"virtio_console"}));
    fs::remove(from_ / "lib/modules" / release / "kernel/drivers/vsock.ko");
    EXPECT_THAT(refusal().message, HasSubstr("virtio_console"));
}

TEST_F(ImportKernel, AnInitrdIsKept) {
    put("vmlinux", test::vmlinux());
    put("initrd", "070701 and so on");
    put("other", "no archive at all");
    EXPECT_EQ(import_as({from_, {}, from_ / "initrd", {}})["has_initrd"], true);
    EXPECT_EQ(read_file(output_ / "initrd"), "070701 and so on");
    const auto refused = refusal_of({from_, {}, from_ / "other", {}});
    EXPECT_EQ(refused.code, ErrorCode::ImageCorrupt);
    EXPECT_THAT(refused.message, HasSubstr("no initramfs"));
}

TEST_F(ImportKernel, WhatIsNoKernelForAVmIsRefusedWithTheReason) {
    const auto refused = [&](const std::string &content) {
        put("vmlinux", content);
        return refusal_of({from_ / "vmlinux", {}, {}, {}});
    };
    EXPECT_THAT(refused("#!/bin/sh\n" + std::string(4096, 'x')).message,
                HasSubstr("neither an ELF file nor a bzImage"));
    EXPECT_THAT(refused("").message, HasSubstr("too short for a kernel"));
    const auto no_pvh = refused(test::vmlinux({.pvh = false}));
    EXPECT_EQ(no_pvh.code, ErrorCode::Unsupported);
    EXPECT_THAT(no_pvh.message, HasSubstr("CONFIG_PVH"));
    const auto arm = refused(test::vmlinux({.machine = EM_AARCH64}));
    EXPECT_EQ(arm.code, ErrorCode::Unsupported);
    EXPECT_THAT(arm.message, HasSubstr("not for x86-64"));
    EXPECT_THAT(refused(test::kernel_module("a", release)).message, HasSubstr("no kernel"));
    EXPECT_THAT(refused(test::vmlinux({.release = ""})).message, HasSubstr("which version"));
    EXPECT_THAT(refused(test::vmlinux().substr(0, 70)).message, HasSubstr("no segments"));
    EXPECT_THAT(refused(test::vmlinux().substr(0, 125)).message, HasSubstr("cut off"));
    EXPECT_THAT(refusal_of({from_ / "nothing", {}, {}, {}}).message,
                HasSubstr("neither a file nor a directory"));
}

TEST_F(ImportKernel, ModulesOfAnotherReleaseAreRefused) {
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, "5.10.0-other");
    auto refused = refusal();
    EXPECT_EQ(refused.code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.message, HasSubstr("the kernel is 6.1.0-test"));
    EXPECT_THAT(refused.message, HasSubstr("modules of 5.10.0-other"));
    refused = refusal_of({from_ / "vmlinux", from_ / "lib/modules/5.10.0-other", {}, {}});
    EXPECT_THAT(refused.message, HasSubstr("is of 5.10.0-other"));
    fs::create_directory(directory_ / "empty");
    refused = refusal_of({from_ / "vmlinux", directory_ / "empty", {}, {}});
    EXPECT_EQ(refused.code, ErrorCode::NotFound);
}

TEST_F(ImportKernel, ADirectoryWithoutAKernelOrWithSeveralIsRefused) {
    fs::create_directory(from_);
    EXPECT_EQ(refusal().code, ErrorCode::NotFound);
    put("boot/vmlinuz-1", test::vmlinux());
    put("boot/vmlinuz-2", test::vmlinux());
    const auto refused = refusal();
    EXPECT_EQ(refused.code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.message, HasSubstr("boot/vmlinuz-1, boot/vmlinuz-2"));
    fs::create_symlink("boot/vmlinuz-2", from_ / "vmlinuz");
    EXPECT_EQ(import()["release"], release) << "a link inside says which";
}

TEST_F(ImportKernel, LinksThatLeadOutsideAreRefused) {
    write_file_atomically(directory_ / "secret", test::vmlinux());
    fs::create_directory(from_);
    fs::create_symlink(directory_ / "secret", from_ / "vmlinuz");
    EXPECT_THAT(refusal().message, HasSubstr("leads outside"));
    fs::remove(from_ / "vmlinuz");
    put("vmlinux", test::vmlinux());
    test::write_modules(from_, release);
    const fs::path modules = from_ / "lib/modules" / release;
    fs::create_symlink("../../../../../secret", modules / "kernel/secret.ko");
    const auto refused = refusal();
    EXPECT_EQ(refused.code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.message, HasSubstr("secret.ko"));
    fs::remove(modules / "kernel/secret.ko");
    fs::create_symlink("drivers/veth.ko", modules / "kernel/again.ko");
    fs::create_symlink("nowhere", modules / "kernel/dangling.ko");
    import();
    const test::ReadBack disk{output_ / "modules.ext4"};
    EXPECT_EQ(disk.content("usr/lib/modules/6.1.0-test/kernel/again.ko"),
              test::kernel_module("veth", release));
    ASSERT_EQ(::mkfifo((modules / "kernel/fifo.ko").c_str(), 0600), 0);
    EXPECT_THAT(refusal().message, HasSubstr("neither a file nor a directory"));
}

class DescribeKernel : public ImportKernel {
protected:
    void SetUp() override {
        put("vmlinux", test::vmlinux());
        test::write_modules(from_, release);
        import();
    }
    std::string complaint() {
        try {
            describe_kernel(output_);
        } catch (const Error &error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(DescribeKernel, FilesThatWereTamperedWithAreRefused) {
    EXPECT_EQ(complaint(), "");
    write_file_atomically(output_ / "boot-modules/order", "../../vmlinux.ko\n");
    EXPECT_THAT(complaint(), HasSubstr("names a module"));
    write_file_atomically(output_ / "boot-modules/order", "veth.ko\n");
    EXPECT_THAT(complaint(), HasSubstr("veth.ko"));
    write_file_atomically(output_ / "boot-modules/order", "ext4.ko\n");
    EXPECT_EQ(complaint(), "");
    write_file_atomically(output_ / "modules.ext4", std::string(4096, 'x'));
    EXPECT_THAT(complaint(), HasSubstr("label banger-modules"));
    fs::remove(output_ / "modules.ext4");
    fs::create_symlink("/etc/passwd", output_ / "modules.ext4");
    EXPECT_THAT(complaint(), HasSubstr("no regular file"));
}

} // namespace
