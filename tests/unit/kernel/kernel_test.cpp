#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/job/job_table.hpp"
#include "daemon/kernel/manifest.hpp"
#include "daemon/kernel/origin.hpp"
#include "daemon/kernel/package.hpp"
#include "daemon/kernel/registry.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/kernel_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <systemd/sd-event.h>

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

TEST(Apt, ReadsEveryStanzaAlsoWithoutEmptyLines) {
    const auto packages = parse_packages("Package: linux-image-6.1.0-55-cloud-amd64\n"
                                         "Version: 6.1.180-1\n"
                                         "Package: linux-image-6.1.0-56-cloud-amd64\n"
                                         "Version: 6.1.192-2\n"
                                         "\n"
                                         "Package: half-a-stanza\n");
    ASSERT_EQ(packages.size(), 2U);
    EXPECT_EQ(packages[0].version, "6.1.180-1");
    EXPECT_EQ(packages[1].name, "linux-image-6.1.0-56-cloud-amd64");
    EXPECT_TRUE(parse_packages("").empty());
}

TEST(Origin, ANameOfOneKernelHasItsRelease) {
    EXPECT_EQ(release_in_name("debian-6.1.0-56-cloud-amd64"), "6.1.0-56-cloud-amd64");
    EXPECT_EQ(release_in_name("debian-6.12.117+deb13-cloud-amd64"), "6.12.117+deb13-cloud-amd64");
    EXPECT_FALSE(release_in_name("debian-bookworm"));
    EXPECT_FALSE(release_in_name("debian-6.1.0-56-amd64")) << "no cloud kernel";
    EXPECT_FALSE(release_in_name("debian-6.1/../x-cloud-amd64"));
    EXPECT_FALSE(release_in_name("mine"));
    EXPECT_FALSE(release_of_package("linux-image-cloud-amd64"));
    EXPECT_FALSE(release_of_package("linux-image-6.12-cloud-amd64")) << "a metapackage";
    EXPECT_FALSE(release_of_package("linux-image-6.1.0-56-cloud-amd64-unsigned"));
}

class KernelRegistry : public testing::Test {
protected:
    KernelRegistry() { block_signals({SIGCHLD}); }

    std::unique_ptr<Registry> open() {
        return std::make_unique<Registry>(
            loop_,
            Registry::Settings{directory_ / "kernels", BANGER_IMAGE_WORKER, "/bin/true",
                               "/bin/true"},
            [this](std::string kind, std::string subject) {
                return jobs_.add(std::move(kind), std::move(subject));
            },
            [this](const std::string &) { return users_; });
    }

    Kernel put_kernel(const std::string &release, const std::string &suite, std::int64_t created,
                      bool newest_of_suite = true) {
        Kernel kernel;
        kernel.name = "debian-" + release;
        kernel.release = release;
        kernel.package_version = "1";
        kernel.distro = "debian";
        kernel.suite = suite;
        kernel.digest = std::string(64, 'd');
        kernel.created = created;
        kernel.newest_of_suite = newest_of_suite;
        kernel.directory = directory_ / "kernels" / kernel.name;
        std::filesystem::create_directories(kernel.directory);
        write_file_atomically(kernel.directory / "manifest.json", to_json(kernel));
        return kernel;
    }

    ImportRequest own_kernel(const std::string &name) {
        const auto from = directory_ / "from";
        if (!std::filesystem::exists(from)) {
            test::write_modules(from, "6.1.0-test");
            write_file_atomically(from / "vmlinux", test::vmlinux());
        }
        return {name, from, {}, {}, "own", false};
    }

    job::Snapshot finished(const std::shared_ptr<job::Job> &job) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (job->running() && std::chrono::steady_clock::now() < deadline) {
            EXPECT_GE(sd_event_run(loop_.get(), 1'000'000), 0);
        }
        EXPECT_FALSE(job->running());
        return job->snapshot();
    }

    template <typename Call>
    Error error_of(Call call) {
        try {
            call();
        } catch (const Error &error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return Error{ErrorCode::Internal, ""};
    }

    /// But for the initramfs and what the test has put there.
    std::vector<std::string> entries() {
        std::vector<std::string> names;
        for (const auto &entry : std::filesystem::directory_iterator{directory_ / "kernels"}) {
            if (entry.path().filename() != "initramfs") {
                names.push_back(entry.path().filename());
            }
        }
        return names;
    }

    test::TemporaryDirectory directory_;
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::vector<std::string> users_;
};

TEST_F(KernelRegistry, AKernelOfOnesOwnIsImportedAndStillThereAfterARestart) {
    {
        const auto kernels = open();
        std::vector<std::string> told;
        kernels->observe({[&](const Kernel &kernel) { told.push_back(kernel.name); }, {}});
        const auto ended = finished(kernels->import(own_kernel("mine")));
        ASSERT_EQ(ended.state, job::State::Done) << ended.error->what();
        EXPECT_EQ(ended.subject, "mine");
        EXPECT_THAT(told, testing::ElementsAre("mine"));
    }
    const auto kernels = open();
    const Kernel kernel = kernels->get("mine");
    EXPECT_EQ(kernel.release, "6.1.0-test");
    EXPECT_EQ(kernel.distro, "own");
    EXPECT_EQ(kernel.source, (directory_ / "from").string());
    EXPECT_TRUE(kernel.has_modules);
    EXPECT_FALSE(kernel.has_initrd);
    EXPECT_TRUE(kernel.missing.empty());
    EXPECT_TRUE(std::filesystem::exists(kernel.vmlinux()));
    EXPECT_FALSE(kernels->find("debian")) << "nobody's newest";
    EXPECT_THAT(entries(), testing::ElementsAre("mine"));
}

TEST_F(KernelRegistry, AnImportThatFailsOrIsCancelledLeavesNothing) {
    const auto kernels = open();
    ImportRequest request = own_kernel("mine");
    request.modules = directory_ / "nowhere";
    const auto failed = finished(kernels->import(request));
    EXPECT_EQ(failed.state, job::State::Failed);
    EXPECT_THAT(failed.error->what(), HasSubstr("nowhere"));
    const auto job = kernels->import(own_kernel("mine"));
    job->cancel();
    EXPECT_EQ(finished(job).state, job::State::Cancelled);
    EXPECT_THAT(entries(), testing::IsEmpty());
    EXPECT_TRUE(kernels->list().empty());
}

TEST_F(KernelRegistry, ATakenNameIsReplacedOnlyByForceAndOnlyWhileNobodyNeedsIt) {
    const auto kernels = open();
    finished(kernels->import(own_kernel("mine")));
    ImportRequest request = own_kernel("mine");
    EXPECT_EQ(error_of([&] { kernels->import(request); }).code(), ErrorCode::AlreadyExists);
    request.force = true;
    users_ = {"vm/sandbox", "image/small"};
    const Error refused = error_of([&] { kernels->import(request); });
    EXPECT_EQ(refused.code(), ErrorCode::InvalidState);
    EXPECT_THAT(refused.what(), HasSubstr("vm/sandbox, image/small"));
    users_.clear();
    const auto job = kernels->import(request);
    EXPECT_EQ(kernels->import(request), job) << "two requests for the same share one job";
    ImportRequest other = request;
    other.from = "/elsewhere";
    EXPECT_EQ(error_of([&] { kernels->import(other); }).code(), ErrorCode::Busy);
    users_ = {"vm/late"};
    const auto ended = finished(job);
    EXPECT_EQ(ended.state, job::State::Failed) << "it came into use while the import ran";
    EXPECT_THAT(ended.error->what(), HasSubstr("vm/late"));
    users_.clear();
    EXPECT_EQ(finished(kernels->import(request)).state, job::State::Done);
    EXPECT_THAT(entries(), testing::ElementsAre("mine"));
}

TEST_F(KernelRegistry, AKernelThatAnImageWaitsForCanBeImported) {
    const auto kernels = open();
    users_ = {"image/small"};
    EXPECT_EQ(finished(kernels->import(own_kernel("mine"))).state, job::State::Done);
    EXPECT_EQ(error_of([&] { kernels->remove("mine"); }).code(), ErrorCode::InvalidState);
}

TEST_F(KernelRegistry, AnImportThatCannotBeIsRefusedAtOnce) {
    const auto kernels = open();
    const auto refused = [&](const ImportRequest &request) {
        const Error error = error_of([&] { kernels->import(request); });
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
        return std::string(error.what());
    };
    refused(own_kernel("../mine"));
    EXPECT_THAT(refused(own_kernel("debian")), HasSubstr("Debian"));
    EXPECT_THAT(refused(own_kernel("debian-6.1.0-56-cloud-amd64")), HasSubstr("Debian"));
    ImportRequest relative = own_kernel("mine");
    relative.initrd = "initrd";
    EXPECT_THAT(refused(relative), HasSubstr("not absolute"));
    refused({"mine", {}, {}, {}, {}, false});
    EXPECT_TRUE(jobs_.list().empty());
}

TEST_F(KernelRegistry, AnOlderKernelPulledByItsNameIsNotTheSuitesNewest) {
    put_kernel("6.1.0-56-cloud-amd64", "bookworm", 100);
    put_kernel("6.1.0-49-cloud-amd64", "bookworm", 200, false);
    const auto kernels = open();
    EXPECT_EQ(kernels->find("debian")->release, "6.1.0-56-cloud-amd64");
    const auto job = kernels->pull("debian-6.1.0-49-cloud-amd64");
    EXPECT_EQ(job->snapshot().state, job::State::Done) << "it is there: nobody need be asked";
}

TEST_F(KernelRegistry, WhatAnEarlierVersionWroteIsUnderstood) {
    const auto directory = directory_ / "kernels/debian-6.1.0-44-cloud-amd64";
    std::filesystem::create_directories(directory);
    write_file_atomically(directory / "manifest.json",
                          R"({"format": 1, "name": "debian-6.1.0-44-cloud-amd64",
        "release": "6.1.0-44-cloud-amd64", "package_version": "6.1.1-1", "distro": "debian",
        "suite": "bookworm", "digest": "d", "size": 1, "created": 1,
        "files": {"kernel": "vmlinux", "modules": "modules.ext4"}})");
    const auto kernels = open();
    EXPECT_TRUE(kernels->get("debian").has_modules);
    EXPECT_TRUE(kernels->get("debian-6.1.0-44-cloud-amd64").features_known);
}

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
