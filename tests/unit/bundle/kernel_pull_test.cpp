#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "tests/unit/bundle/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

namespace {

class KernelBundle : public testing::Test, protected test::World {
protected:
    KernelBundle() : kernel_(put_kernel("debian-6.1.0-test")) {
        const auto end = export_kernel("debian-6.1.0-test", "kernel.tar.zst");
        EXPECT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    }

    kernel::Kernel kernel_;
};

TEST_F(KernelBundle, GivesTheKernelThatItWasMadeOf) {
    serve();
    set_catalog({}, {entry("ours", "kernel.tar.zst")});
    const auto end = end_of(kernels_->pull("ours"));
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    const auto pulled = kernels_->find("ours");
    ASSERT_TRUE(pulled);
    EXPECT_EQ(pulled->release, kernel_.release);
    EXPECT_EQ(pulled->package_version, kernel_.package_version);
    for (const char *file :
         {"vmlinux", "modules.ext4", "boot-modules/ext4.ko", "boot-modules/order"}) {
        EXPECT_EQ(sha256_of_file(pulled->directory / file),
                  sha256_of_file(kernel_.directory / file))
            << file;
    }
    EXPECT_FALSE(kernels_->find("debian")) << "it is nobody's default";

    const auto requests = server_->requests().size();
    EXPECT_EQ(end_of(kernels_->pull("ours")).state, job::State::Done);
    EXPECT_EQ(server_->requests().size(), requests) << "it is there";
}

TEST_F(KernelBundle, OfWhatIsNoKernelLeavesNothing) {
    write_file_atomically(kernel_.directory / "vmlinux", "no ELF file");
    ASSERT_EQ(export_kernel(kernel_.name, "bad.tar.zst").state, job::State::Done);
    serve();
    set_catalog({}, {entry("ours", "bad.tar.zst")});
    const auto end = end_of(kernels_->pull("ours"));
    ASSERT_EQ(end.state, job::State::Failed);
    EXPECT_THAT(end.error->what(), HasSubstr("no ELF file"));
    EXPECT_THAT(kernels_->list(), IsEmpty());
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(KernelBundle, MustHoldTheModulesThatItLoads) {
    write_file_atomically(kernel_.directory / "boot-modules/order", "ext4.ko\n../../secret\n");
    ASSERT_EQ(export_kernel(kernel_.name, "bad.tar.zst").state, job::State::Done);
    serve();
    set_catalog({}, {entry("ours", "bad.tar.zst")});
    const auto end = end_of(kernels_->pull("ours"));
    ASSERT_EQ(end.state, job::State::Failed);
    EXPECT_THAT(end.error->what(), HasSubstr("../../secret"));
    EXPECT_THAT(kernels_->list(), IsEmpty());
}

} // namespace
