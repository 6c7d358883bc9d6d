// From Debian's archive to a kernel and an image, as an ordinary user, with the real apt,
// mmdebstrap and worker.

#include "base/files.hpp"
#include "base/process.hpp"
#include "base/sha256.hpp"
#include "daemon/catalog/load.hpp"
#include "daemon/image/build_host.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job_table.hpp"
#include "daemon/kernel/registry.hpp"

#include <gtest/gtest.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>

using namespace banger;
namespace fs = std::filesystem;

namespace {

std::string output_of(std::vector<std::string> argv) {
    Command command;
    command.argv = std::move(argv);
    return run_and_read(std::move(command));
}

class DebianArchive : public testing::Test {
protected:
    void SetUp() override {
        if (std::getenv("BANGER_TEST_ARCHIVE") == nullptr) {
            GTEST_SKIP() << "needs Debian's archive: set BANGER_TEST_ARCHIVE=1";
        }
        block_signals({SIGCHLD});
        loop_.emplace();
        jobs_.emplace(*loop_);
        std::string pattern = "/var/tmp/banger-archive-test.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }

    void TearDown() override {
        std::error_code ignored;
        if (!directory_.empty()) {
            fs::remove_all(directory_, ignored);
        }
    }

    auto factory() {
        return [this](std::string kind, std::string subject) {
            return jobs_->add(std::move(kind), std::move(subject));
        };
    }

    job::Snapshot run_to_end(const std::shared_ptr<job::Job> &job) {
        std::string stage;
        job->observe([&](const job::Snapshot &s) {
            if (s.stage != stage) {
                stage = s.stage;
                std::cout << "[" << static_cast<int>(s.progress * 100) << "%] " << stage
                          << std::endl;
            }
        });
        wait_until([&] { return !job->running(); });
        for (const auto &[name, time] : job->snapshot().stage_durations) {
            std::cout << name << ": " << time.count() / 1000 << " ms" << std::endl;
        }
        return job->snapshot();
    }

    void wait_until(const std::function<bool()> &reached) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{10};
        while (!reached() && std::chrono::steady_clock::now() < deadline) {
            ASSERT_GE(sd_event_run(loop_->get(), 1'000'000), 0);
        }
        ASSERT_TRUE(reached()) << "nothing after ten minutes";
    }

    image::Registry::Settings image_settings() {
        return {directory_ / "images",
                BANGER_IMAGE_WORKER,
                directory_ / "blobs",
                "/var/tmp",
                [] { return catalog::load({}, {}); },
                {},
                BANGER_BUILD_GUARD};
    }

    void require_builder() {
        try {
            image::require_build_tools();
        } catch (const Error &error) {
            GTEST_SKIP() << error.what();
        }
    }

    fs::path directory_;
    std::optional<EventLoop> loop_;
    std::optional<job::JobTable> jobs_;
};

TEST_F(DebianArchive, AKernelIsPulledOnceAndItsInitramfsAssembled) {
    const kernel::Registry::Settings settings{directory_ / "kernels", BANGER_IMAGE_WORKER,
                                              "/bin/true", "/bin/cat"};
    kernel::Registry kernels{*loop_, settings, factory(), {}};
    const auto job = kernels.pull("debian");
    EXPECT_EQ(kernels.pull("debian-bookworm"), job) << "two requests share one job";
    const auto ended = run_to_end(job);
    ASSERT_EQ(ended.state, job::State::Done) << (ended.error ? ended.error->what() : "");

    const auto kernel = kernels.find("debian");
    ASSERT_TRUE(kernel);
    EXPECT_TRUE(kernel->name.starts_with("debian-6.1.0-")) << kernel->name;
    EXPECT_TRUE(read_file(kernel->vmlinux(), 512U << 20U)
                    .starts_with("\x7f"
                                 "ELF"));
    EXPECT_EQ(output_of({"/usr/sbin/e2fsck", "-fn", kernel->modules().string()}).empty(), false);

    EXPECT_TRUE(kernel->features_known);
    EXPECT_EQ(kernel->missing, std::vector<std::string>{}) << "all that Docker needs is there";

    fs::path initramfs;
    kernels.initramfs(*kernel, [&](std::optional<Error> error, const fs::path &path) {
        EXPECT_FALSE(error) << (error ? error->what() : "");
        initramfs = path;
    });
    wait_until([&] { return !initramfs.empty(); });
    EXPECT_TRUE(fs::exists(initramfs));

    const auto again = run_to_end(kernels.pull("debian"));
    EXPECT_EQ(again.state, job::State::Done);
    EXPECT_EQ(kernels.list().size(), 1U);

    const kernel::Registry reopened{*loop_, settings, factory(), {}};
    EXPECT_EQ(reopened.find("debian")->digest, kernel->digest);
    kernels.remove(kernel->name);
    EXPECT_FALSE(kernels.find("debian"));
    EXPECT_FALSE(fs::exists(kernel->directory));
}

TEST_F(DebianArchive, AnOlderKernelIsPulledByItsName) {
    kernel::Registry kernels{*loop_,
                             {directory_ / "kernels", BANGER_IMAGE_WORKER, "/bin/true", "/bin/cat"},
                             factory(),
                             {}};
    ASSERT_EQ(run_to_end(kernels.update_archive()).state, job::State::Done);
    const auto bookworm = std::find_if(
        kernels.archive().begin(), kernels.archive().end(),
        [](const kernel::ArchiveKernel &k) { return k.name.starts_with("debian-6.1.0-"); });
    ASSERT_NE(bookworm, kernels.archive().end());
    const auto ended = run_to_end(kernels.pull(bookworm->name));
    ASSERT_EQ(ended.state, job::State::Done) << (ended.error ? ended.error->what() : "");
    EXPECT_EQ(kernels.get(bookworm->name).package_version, bookworm->version);
    EXPECT_EQ(kernels.get(bookworm->name).suite, "bookworm");
    EXPECT_FALSE(kernels.find("debian")) << "it is not the newest";

    const auto gone = run_to_end(kernels.pull("debian-6.1.0-1-cloud-amd64"));
    ASSERT_EQ(gone.state, job::State::Failed);
    EXPECT_EQ(gone.error->code(), ErrorCode::NotFound);
    EXPECT_NE(std::string(gone.error->what()).find(bookworm->name), std::string::npos);
    EXPECT_EQ(kernels.list().size(), 1U);
}

TEST_F(DebianArchive, AnImageIsBuiltByAnOrdinaryUser) {
    require_builder();
    image::Registry images{*loop_, image_settings(), factory(), {}};
    const char *wanted = std::getenv("BANGER_TEST_IMAGE");
    const std::string name = wanted != nullptr ? wanted : "debian-bookworm-minimal";
    const image::BuildRequest wanted_image{name, {}, {}, false};
    const auto job = images.build(wanted_image);
    EXPECT_EQ(images.build(wanted_image), job);
    const auto ended = run_to_end(job);
    ASSERT_EQ(ended.state, job::State::Done) << (ended.error ? ended.error->what() : "");

    const auto image = images.find(name);
    ASSERT_TRUE(image);
    EXPECT_EQ(sha256_of_file(image->rootfs()), image->digest);
    output_of({"/usr/sbin/e2fsck", "-fn", image->rootfs().string()});
    const auto debugfs = [&](const std::string &request) {
        return output_of({"/usr/sbin/debugfs", "-R", request, image->rootfs().string()});
    };
    EXPECT_NE(debugfs("cat /usr/lib/os-release").find("VERSION_CODENAME=bookworm"),
              std::string::npos);
    EXPECT_EQ(debugfs("ls /etc/ssh").find("ssh_host_"), std::string::npos)
        << "host keys are each VM's own";
    EXPECT_EQ(image::build_directories("/var/tmp").size(), 0U);

    const auto again = run_to_end(images.build({"again", name, {}, false}));
    ASSERT_EQ(again.state, job::State::Done) << (again.error ? again.error->what() : "");
    EXPECT_EQ(images.find("again")->digest, image->digest)
        << "the same state of the archive is the same image";
    images.remove(name);
    images.remove("again");
    EXPECT_FALSE(fs::exists(image->directory));
}

TEST_F(DebianArchive, ACancelledBuildLeavesNothing) {
    require_builder();
    image::Registry images{*loop_, image_settings(), factory(), {}};
    const auto job = images.build({"debian-bookworm-minimal", {}, {}, false});
    bool asked = false;
    job->observe([&](const job::Snapshot &s) {
        if (s.stage == "installing the base system" && !asked) {
            asked = true;
            job->cancel();
        }
    });
    const auto ended = run_to_end(job);
    EXPECT_EQ(ended.state, job::State::Cancelled);
    EXPECT_TRUE(images.list().empty());
    EXPECT_EQ(image::build_directories("/var/tmp").size(), 0U);
    for (const auto &entry : fs::directory_iterator{directory_ / "images"}) {
        EXPECT_FALSE(entry.path().filename().string().starts_with("tmp.")) << entry.path();
    }
}

} // namespace
