#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "daemon/catalog/load.hpp"
#include "daemon/ext4/empty_disk.hpp"
#include "daemon/image/layer_cache.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job_table.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <csignal>

using namespace banger;
using namespace banger::image;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

namespace {

/// Root file systems of the user's own, by the real worker.
class ImageRegistration : public testing::Test {
protected:
    ImageRegistration() {
        block_signals({SIGCHLD});
        ext4::format_empty_disk(file_, size, "mine");
        images_ = open();
    }

    std::unique_ptr<Registry> open() {
        return std::make_unique<Registry>(
            loop_,
            Registry::Settings{directory_ / "images", BANGER_IMAGE_WORKER, directory_ / "blobs",
                               directory_ / "", [] { return catalog::load({}, {}); }},
            [this](std::string kind, std::string subject) {
                return jobs_.add(std::move(kind), std::move(subject));
            },
            [this](const std::string &) { return vms_; });
    }

    void run_until(const std::function<bool()> &done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (!done() && std::chrono::steady_clock::now() < deadline) {
            constexpr std::uint64_t step_usec = 100'000;
            sd_event_run(loop_.get(), step_usec);
        }
        EXPECT_TRUE(done()) << "nothing for 60 s";
    }
    job::Snapshot end_of(const std::shared_ptr<job::Job> &job) {
        run_until([&] { return !job->running(); });
        return job->snapshot();
    }
    job::Snapshot register_file(const std::string &name = "mine", bool anew = false) {
        return end_of(images_->register_file({name, file_, "debian"}, anew));
    }
    std::string refusal(const std::function<void()> &act) {
        try {
            act();
        } catch (const Error &error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return "none";
    }
    void write_at(off_t offset, std::string_view bytes) {
        const UniqueFd fd = open_file(file_, O_WRONLY);
        ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), offset),
                  static_cast<ssize_t>(bytes.size()));
    }
    std::size_t entries_of_registry() {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory_ / "images/by-digest"), {}));
    }

    static constexpr std::uint64_t size = 16U << 20U;
    test::TemporaryDirectory directory_;
    const fs::path file_ = directory_ / "rootfs.ext4";
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::vector<std::string> vms_;
    std::unique_ptr<Registry> images_;
};

TEST_F(ImageRegistration, AFileIsUsedWhereItIsAlsoAfterARestart) {
    ASSERT_EQ(register_file().state, job::State::Done);
    images_.reset();
    images_ = open();
    const auto image = images_->find("mine");
    ASSERT_TRUE(image);
    EXPECT_EQ(image->rootfs(), file_);
    EXPECT_EQ(image->size, size);
    EXPECT_EQ(image->source, file_.string());
    EXPECT_NO_THROW(image->require_unchanged());
    EXPECT_EQ(images_->usage_of("mine").own, 0U) << "a delete frees nothing";
    images_->remove("mine");
    EXPECT_TRUE(fs::exists(file_)) << "the user's file stays";
}

TEST_F(ImageRegistration, AChangedFileIsNoticed) {
    register_file();
    write_at(8U << 20U, "x");
    EXPECT_THAT(refusal([&] { images_->find("mine")->require_unchanged(); }),
                AllOf(HasSubstr("ImageCorrupt"), HasSubstr(file_.string()),
                      HasSubstr("banger image register --force --name mine")));
    fs::remove(file_);
    EXPECT_THAT(refusal([&] { images_->find("mine")->require_unchanged(); }),
                HasSubstr("cannot be used any more"));
}

TEST_F(ImageRegistration, AFileOfTheSameContentIsMadeGoodByRegisteringItAgain) {
    register_file();
    const std::string digest = images_->find("mine")->digest;
    fs::last_write_time(file_, fs::file_time_type::clock::now() - std::chrono::hours{1});
    EXPECT_NE(refusal([&] { images_->find("mine")->require_unchanged(); }), "none");
    ASSERT_EQ(register_file().state, job::State::Done);
    EXPECT_EQ(images_->find("mine")->digest, digest) << "VMs that pin it go on";
    EXPECT_NO_THROW(images_->find_digest(digest)->require_unchanged());
    images_ = open();
    EXPECT_NO_THROW(images_->find("mine")->require_unchanged());
}

TEST_F(ImageRegistration, ACopyDoesNotNeedTheFileAnyMore) {
    register_file();
    ASSERT_EQ(end_of(images_->promote("mine")).state, job::State::Done);
    const auto image = images_->find("mine");
    EXPECT_FALSE(image->registered);
    EXPECT_EQ(image->kernel, "debian");
    EXPECT_EQ(read_file(image->rootfs(), 2 * size), read_file(file_, 2 * size));
    EXPECT_LT(image->disk_bytes, size / 2) << "holes are holes";
    EXPECT_EQ(images_->usage_of("mine").own, image->disk_bytes);
    EXPECT_EQ(entries_of_registry(), 1U) << "nobody uses the registered one";
    fs::remove(file_);
    EXPECT_NO_THROW(image->require_unchanged());
    // Of one that is banger's own already there is nothing to do.
    EXPECT_EQ(end_of(images_->promote("mine")).state, job::State::Done);
}

TEST_F(ImageRegistration, WhatSeveralNamesOrVmsMeanIsShared) {
    register_file();
    end_of(images_->promote("mine"));
    register_file("second");
    end_of(images_->promote("second"));
    const auto image = images_->find("mine");
    EXPECT_EQ(image->digest, images_->find("second")->digest);
    EXPECT_EQ(images_->usage_of("mine").shared, image->disk_bytes);
    EXPECT_EQ(images_->usage_of("mine").own, 0U);
    images_->remove("second");
    EXPECT_EQ(images_->usage_of("mine").own, image->disk_bytes);
    vms_ = {"sandbox"};
    EXPECT_THAT(images_->usage_of("mine").vms, ElementsAre("sandbox"));
    EXPECT_EQ(images_->usage_of("mine").own, 0U);
}

TEST_F(ImageRegistration, WhatIsNoRootFileSystemIsRefusedAndLeavesNothing) {
    const auto why = [&] {
        const auto end = register_file();
        return end.error ? std::string(end.error->what()) : "none";
    };
    ext4::format_empty_disk(directory_ / "work.ext4", size, "banger-work");
    fs::rename(directory_ / "work.ext4", file_);
    EXPECT_THAT(why(), HasSubstr("the label \"banger-work\""));
    constexpr off_t incompatible_features = 1024 + 0x60;
    ext4::format_empty_disk(directory_ / "dirty.ext4", size, "mine");
    fs::rename(directory_ / "dirty.ext4", file_);
    write_at(incompatible_features, std::string_view{"\x46", 1});
    EXPECT_THAT(why(), HasSubstr("not unmounted cleanly"));
    fs::resize_file(file_, size / 2);
    write_at(incompatible_features, std::string_view{"\x42", 1});
    EXPECT_THAT(why(), HasSubstr("cut off"));
    fs::resize_file(file_, 1030);
    EXPECT_THAT(why(), HasSubstr("no ext4 file system"));
    fs::remove(file_);
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
    EXPECT_THAT(why(), HasSubstr("no regular file"));
    fs::remove(file_);
    EXPECT_THAT(why(), HasSubstr(file_.string()));
    EXPECT_THAT(images_->list(), IsEmpty());
    EXPECT_EQ(entries_of_registry(), 0U);
}

TEST_F(ImageRegistration, ANameIsNotTakenFromAnotherImageUnlessForced) {
    register_file();
    ext4::format_empty_disk(directory_ / "other.ext4", size, "other");
    const RegisterRequest other{"mine", directory_ / "other.ext4", "debian"};
    EXPECT_THAT(refusal([&] { images_->register_file(other, false); }),
                AllOf(HasSubstr("AlreadyExists"), HasSubstr("--force")));
    EXPECT_EQ(end_of(images_->register_file(other, true)).state, job::State::Done);
    EXPECT_EQ(images_->find("mine")->rootfs(), other.file);
    EXPECT_THAT(refusal([&] {
                    images_->register_file({"x", "relative", "debian"}, false);
                }),
                HasSubstr("no absolute path"));
    EXPECT_THAT(refusal([&] { images_->promote("nope"); }), HasSubstr("NotFound"));
}

TEST_F(ImageRegistration, ACancelledCopyLeavesNothing) {
    register_file();
    const auto job = images_->promote("mine");
    job->cancel();
    EXPECT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_TRUE(images_->find("mine")->registered);
    for (const auto &entry : fs::directory_iterator(directory_ / "images")) {
        EXPECT_FALSE(entry.path().filename().string().starts_with("tmp.")) << entry.path();
    }
}

TEST_F(ImageRegistration, CachedLayersAreListedAndRemoved) {
    const fs::path blobs = directory_ / "blobs/blobs/sha256";
    fs::create_directories(blobs);
    write_file_atomically(blobs / std::string(64, 'a'), "0123456789");
    write_file_atomically(blobs / (std::string(64, 'b') + ".partial"), "01234");
    fs::last_write_time(blobs / std::string(64, 'a'),
                        fs::file_time_type::clock::now() - std::chrono::hours{48});
    LayerCache cache{loop_, BANGER_IMAGE_WORKER, directory_ / "blobs",
                     [this](std::string kind, std::string subject) {
                         return jobs_.add(std::move(kind), std::move(subject));
                     }};
    std::optional<std::vector<LayerCache::Blob>> listed;
    cache.list([&](Outcome<std::vector<LayerCache::Blob>> blobs_or) { listed = blobs_or.value(); });
    run_until([&] { return listed.has_value(); });
    ASSERT_EQ(listed->size(), 2U);
    EXPECT_EQ(listed->at(0).digest, "sha256:" + std::string(64, 'b'));
    EXPECT_TRUE(listed->at(0).partial);
    EXPECT_EQ(listed->at(1).size, 10U);

    EXPECT_EQ(end_of(cache.prune(std::chrono::hours{24})).bytes_done, 10U);
    EXPECT_EQ(end_of(cache.prune(std::nullopt)).bytes_done, 5U);
    EXPECT_TRUE(fs::is_empty(blobs));
}

} // namespace
