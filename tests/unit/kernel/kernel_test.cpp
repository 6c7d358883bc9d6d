#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/job/job_table.hpp"
#include "daemon/kernel/manifest.hpp"
#include "daemon/kernel/package.hpp"
#include "daemon/kernel/registry.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

using namespace banger;
using namespace banger::kernel;
using testing::HasSubstr;

namespace {

constexpr const char *metapackage = "Package: linux-image-cloud-amd64\n"
                                    "Source: linux-signed-amd64 (6.1.192+2)\n"
                                    "Version: 6.1.192-2\n"
                                    "Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)\n"
                                    "Size: 1508\n"
                                    "\n"
                                    "Package: linux-image-cloud-amd64\n"
                                    "Version: 6.1.176-1\n";

TEST(Apt, FindsTheKernelThatAMetapackageStandsFor) {
    const Package package = parse_package(metapackage);
    EXPECT_EQ(package.version, "6.1.192-2");
    EXPECT_EQ(package.size, 1508U);
    EXPECT_EQ(kernel_package(package), "linux-image-6.1.0-56-cloud-amd64");
    EXPECT_EQ(
        kernel_package({"m", "1", "linux-image-6.12.117+deb13-cloud-amd64 (= 6.12.117-1)", 0}),
        "linux-image-6.12.117+deb13-cloud-amd64");
    EXPECT_THROW(parse_package(""), Error);
    EXPECT_THROW(kernel_package({"m", "1", "libc6", 0}), Error);
    EXPECT_THROW(kernel_package({"m", "1", "linux-image-../../x", 0}), Error);
}

class KernelRegistry : public testing::Test {
protected:
    KernelRegistry() { block_signals({SIGCHLD}); }

    std::unique_ptr<Registry> open() {
        return std::make_unique<Registry>(
            loop_,
            Registry::Settings{directory_ / "kernels", "/bin/false", "/bin/true", "/bin/true"},
            [this](std::string kind, std::string subject) {
                return jobs_.add(std::move(kind), std::move(subject));
            },
            [this](const std::string &) { return users_; });
    }

    Kernel put_kernel(const std::string &release, const std::string &suite, std::int64_t created) {
        Kernel kernel;
        kernel.name = "debian-" + release;
        kernel.release = release;
        kernel.package_version = "1";
        kernel.distro = "debian";
        kernel.suite = suite;
        kernel.digest = std::string(64, 'd');
        kernel.created = created;
        kernel.directory = directory_ / "kernels" / kernel.name;
        std::filesystem::create_directories(kernel.directory);
        write_file_atomically(kernel.directory / "manifest.json", to_json(kernel));
        return kernel;
    }

    test::TemporaryDirectory directory_;
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::vector<std::string> users_;
};

TEST_F(KernelRegistry, ASuitesNameMeansItsNewestKernel) {
    put_kernel("6.1.0-55-cloud-amd64", "bookworm", 100);
    put_kernel("6.1.0-56-cloud-amd64", "bookworm", 200);
    put_kernel("6.12.117+deb13-cloud-amd64", "trixie", 300);
    const auto kernels = open();
    EXPECT_EQ(kernels->list().size(), 3U);
    EXPECT_EQ(kernels->find("debian")->release, "6.1.0-56-cloud-amd64");
    EXPECT_EQ(kernels->find("debian-trixie")->release, "6.12.117+deb13-cloud-amd64");
    EXPECT_EQ(kernels->find("debian-6.1.0-55-cloud-amd64")->created, 100);
    EXPECT_FALSE(kernels->find("other"));
}

TEST_F(KernelRegistry, RemovesWhatAKilledPullHasLeft) {
    std::filesystem::create_directories(directory_ / "kernels/tmp.killed/apt");
    open();
    EXPECT_FALSE(std::filesystem::exists(directory_ / "kernels/tmp.killed"));
}

TEST_F(KernelRegistry, AKernelInUseIsNotRemoved) {
    const Kernel kernel = put_kernel("6.1.0-56-cloud-amd64", "bookworm", 1);
    const auto kernels = open();
    users_ = {"sandbox"};
    EXPECT_THROW(kernels->remove(kernel.name), Error);
    users_.clear();
    kernels->remove(kernel.name);
    EXPECT_FALSE(std::filesystem::exists(kernel.directory));
    EXPECT_THROW(kernels->remove(kernel.name), Error);
}

TEST_F(KernelRegistry, AnUnknownNameIsRefusedWithWhatThereIs) {
    try {
        open()->pull("fedora");
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), HasSubstr("debian-bookworm"));
    }
}

} // namespace
