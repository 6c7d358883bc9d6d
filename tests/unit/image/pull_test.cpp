#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "base/sha256.hpp"
#include "daemon/catalog/load.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job_table.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <systemd/sd-event.h>

#include <csignal>
#include <cstdlib>

using namespace banger;
using namespace banger::image;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

namespace {

/// Pulls of a directory in OCI layout, by the real worker.
class ImagePull : public testing::Test {
protected:
    ImagePull() {
        block_signals({SIGCHLD});
        fs::create_directories(layout_ / "blobs/sha256");
        write_file_atomically(layout_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
        images_ = open();
    }

    std::unique_ptr<Registry> open() {
        return std::make_unique<Registry>(
            loop_,
            Registry::Settings{directory_ / "images", BANGER_IMAGE_WORKER, directory_ / "blobs",
                               "/var/tmp", [] { return catalog::load({}, {}); }},
            [this](std::string kind, std::string subject) {
                return jobs_.add(std::move(kind), std::move(subject));
            },
            [](const std::string &) { return std::vector<std::string>{}; });
    }

    nlohmann::json put_blob(const std::string &content, const std::string &media_type) {
        const std::string digest = sha256_of(content);
        write_file_atomically(layout_ / "blobs/sha256" / digest, content);
        return {
            {"mediaType", media_type}, {"digest", "sha256:" + digest}, {"size", content.size()}};
    }

    /// One layer with the file /etc/motd; the image's only tag.
    void put_image(const std::string &motd, const nlohmann::json &config,
                   const std::function<void(std::string &tar)> &change = {}) {
        const fs::path file = directory_ / "layer.tar";
        test::Tar(file).add({.path = "etc/motd", .content = motd});
        std::string tar = read_file(file, 1U << 20U);
        if (change) {
            change(tar);
        }
        const auto layer = put_blob(tar, "application/vnd.oci.image.layer.v1.tar");
        const nlohmann::json image{
            {"architecture", "amd64"},
            {"os", "linux"},
            {"config", config},
            {"rootfs", {{"type", "layers"}, {"diff_ids", {layer.at("digest")}}}}};
        const nlohmann::json manifest{
            {"schemaVersion", 2},
            {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
            {"config", put_blob(image.dump(), "application/vnd.oci.image.config.v1+json")},
            {"layers", {layer}}};
        const nlohmann::json index{
            {"schemaVersion", 2},
            {"manifests",
             {put_blob(manifest.dump(), "application/vnd.oci.image.manifest.v1+json")}}};
        write_file_atomically(layout_ / "index.json", index.dump());
        last_layer_ = layer.at("digest").get<std::string>().substr(std::strlen("sha256:"));
    }

    PullRequest request(const std::string &name = "img") {
        return {
            .reference = "oci:" + layout_.string(), .name = name, .kernel = {}, .registries = {}};
    }

    job::Snapshot end_of(const std::shared_ptr<job::Job> &job) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (job->running() && std::chrono::steady_clock::now() < deadline) {
            constexpr std::uint64_t step_usec = 100'000;
            sd_event_run(loop_.get(), step_usec);
        }
        EXPECT_FALSE(job->running()) << "nothing for 30 s";
        return job->snapshot();
    }

    test::TemporaryDirectory directory_;
    const fs::path layout_ = directory_ / "layout";
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::unique_ptr<Registry> images_;
    std::string last_layer_;
};

TEST_F(ImagePull, PublishesTheImageWithItsConfiguration) {
    put_image("hello", {{"Env", {"A=b"}},
                        {"WorkingDir", "/etc"},
                        {"User", "1000:1000"},
                        {"Entrypoint", {"/bin/x"}},
                        {"Cmd", {"-v"}}});
    const auto end = end_of(images_->pull(request()));
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    EXPECT_EQ(end.subject, "img");

    images_.reset();
    const auto image = open()->find("img");
    ASSERT_TRUE(image);
    EXPECT_EQ(image->source, "oci:" + layout_.string());
    EXPECT_EQ(image->kernel, "debian");
    EXPECT_THAT(image->run.environment, ElementsAre("A=b"));
    EXPECT_EQ(image->run.working_directory, "/etc");
    EXPECT_EQ(image->run.user, "1000:1000");
    EXPECT_THAT(image->run.entrypoint, ElementsAre("/bin/x"));
    EXPECT_THAT(image->run.command, ElementsAre("-v"));
    EXPECT_EQ(test::e2fsck_complaint(image->rootfs()), "");
    EXPECT_EQ(test::ReadBack(image->rootfs()).content("etc/motd"), "hello");
}

TEST_F(ImagePull, DoesNothingWhereTheManifestIsTheSame) {
    put_image("one", nlohmann::json::object());
    end_of(images_->pull(request()));
    const auto before = fs::last_write_time(images_->find("img")->rootfs());
    // The layers are not looked at again.
    fs::remove(layout_ / "blobs/sha256" / last_layer_);
    EXPECT_EQ(end_of(images_->pull(request())).state, job::State::Done);
    EXPECT_EQ(fs::last_write_time(images_->find("img")->rootfs()), before);

    put_image("two", nlohmann::json::object());
    const std::string old = images_->find("img")->digest;
    EXPECT_EQ(end_of(images_->pull(request())).state, job::State::Done);
    EXPECT_NE(images_->find("img")->digest, old);
    EXPECT_FALSE(images_->find_digest(old)) << "nobody uses it";
}

TEST_F(ImagePull, AnotherConfigurationOfTheSameFilesIsAnotherImage) {
    put_image("same", {{"Cmd", {"one"}}});
    end_of(images_->pull(request("one")));
    put_image("same", {{"Cmd", {"two"}}});
    end_of(images_->pull(request("two")));
    EXPECT_THAT(images_->find("one")->run.command, ElementsAre("one"));
    EXPECT_THAT(images_->find("two")->run.command, ElementsAre("two"));
}

TEST_F(ImagePull, ADamagedLayerLeavesNothing) {
    put_image("good", nlohmann::json::object());
    write_file_atomically(layout_ / "blobs/sha256" / last_layer_,
                          std::string(fs::file_size(layout_ / "blobs/sha256" / last_layer_), 'x'));
    const auto end = end_of(images_->pull(request()));
    EXPECT_EQ(end.state, job::State::Failed);
    EXPECT_EQ(end.error->code(), ErrorCode::ImageCorrupt);
    EXPECT_THAT(end.error->what(), HasSubstr(layout_.string()));
    EXPECT_THAT(images_->list(), IsEmpty());
    for (const auto &entry : fs::directory_iterator(directory_ / "images")) {
        EXPECT_FALSE(entry.path().filename().string().starts_with("tmp.")) << entry.path();
    }
}

TEST_F(ImagePull, ALayerMayEndWithItsLastFile) {
    put_image("hello", nlohmann::json::object(),
              [](std::string &tar) { tar.erase(tar.find_last_not_of('\0') + 1); });
    EXPECT_EQ(end_of(images_->pull(request())).state, job::State::Done);
    EXPECT_EQ(test::ReadBack(images_->find("img")->rootfs()).content("etc/motd"), "hello");
}

TEST_F(ImagePull, TwoPullsOfOneNameShareTheJob) {
    put_image("one", nlohmann::json::object());
    const auto first = images_->pull(request());
    EXPECT_EQ(images_->pull(request()), first);
    PullRequest other = request();
    other.reference = "alpine:3.20";
    try {
        images_->pull(other);
        ADD_FAILURE() << "another image under the same name was begun";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::Busy);
        EXPECT_THAT(error.what(), HasSubstr("choose another name"));
    }
    EXPECT_EQ(end_of(first).state, job::State::Done);
}

TEST_F(ImagePull, WhatIsWantedByItsReferenceIsFoundUnderAnyName) {
    put_image("one", nlohmann::json::object());
    EXPECT_FALSE(images_->find_wanted("oci:" + layout_.string()));
    end_of(images_->pull(request("own-name")));
    EXPECT_EQ(images_->find_wanted("oci:" + layout_.string())->name, "own-name");

    PullRequest again = request("");
    again.only_missing = true;
    const auto end = end_of(images_->pull(again));
    EXPECT_EQ(end.subject, "own-name");
    EXPECT_EQ(images_->list().size(), 1U);
}

TEST_F(ImagePull, ACancelledPullLeavesNothing) {
    put_image("one", nlohmann::json::object());
    const auto job = images_->pull(request());
    job->cancel();
    EXPECT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_THAT(images_->list(), IsEmpty());
}

} // namespace
