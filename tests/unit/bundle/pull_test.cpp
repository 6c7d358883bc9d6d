#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "tests/unit/bundle/world.hpp"
#include "tests/unit/image/tar_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

using namespace banger;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

namespace fs = std::filesystem;

namespace {

class BundlePull : public testing::Test, protected test::World {
protected:
    BundlePull() : image_(put_image("tools")) {
        const auto end = export_image("tools", "tools.tar.zst");
        EXPECT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    }

    job::Snapshot pull(const std::string &name = "tools") {
        image::PullRequest request;
        request.reference = name;
        return end_of(images_->pull(request));
    }
    void expect_refused(const job::Snapshot &end, const std::string &why) {
        ASSERT_EQ(end.state, job::State::Failed);
        EXPECT_THAT(end.error->what(), HasSubstr(why));
        EXPECT_THAT(images_->list(), IsEmpty());
        EXPECT_THAT(leftovers(), IsEmpty());
    }
    std::vector<std::string> partials() const {
        std::vector<std::string> found;
        for (const auto &entry : fs::directory_iterator(directory_ / "blobs/blobs/sha256")) {
            if (entry.path().filename().string().find(".partial") != std::string::npos) {
                found.push_back(entry.path());
            }
        }
        return found;
    }

    image::Image image_;
};

TEST_F(BundlePull, GivesTheImageThatTheBundleWasMadeOf) {
    serve();
    set_catalog({entry("ours", "tools.tar.zst")});
    const auto end = pull("ours");
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    const auto pulled = images_->find("ours");
    ASSERT_TRUE(pulled);
    EXPECT_EQ(pulled->digest, image_.digest);
    EXPECT_EQ(pulled->size, image_.size);
    EXPECT_EQ(pulled->source, server_->url("tools.tar.zst"));
    EXPECT_EQ(pulled->kernel, "debian");
    EXPECT_EQ(pulled->packages, image_.packages);
    EXPECT_EQ(test::e2fsck_complaint(pulled->rootfs()), "");
    EXPECT_EQ(test::ReadBack(pulled->rootfs()).content("etc/motd"), "hello");
    EXPECT_LT(pulled->disk_bytes, 8U << 20U) << "the 64 MiB of zeros are a hole";
    EXPECT_THAT(partials(), IsEmpty());
}

TEST_F(BundlePull, TakesAFileOfThisHost) {
    set_catalog({entry("tools", "tools.tar.zst")});
    EXPECT_EQ(pull().state, job::State::Done);
    EXPECT_EQ(images_->find("tools")->digest, image_.digest);
}

TEST_F(BundlePull, DoesNothingWhereItIsThereAndPullsAnewWhereTheEntryHasChanged) {
    serve();
    set_catalog({entry("tools", "tools.tar.zst")});
    pull();
    const auto before = server_->requests().size();
    EXPECT_EQ(pull().state, job::State::Done);
    EXPECT_EQ(server_->requests().size(), before);

    // The same image, packed otherwise.
    ASSERT_EQ(std::system(("zstd -qdc " + published("tools.tar.zst").string() + " | zstd -q1 >" +
                           published("new.tar.zst").string())
                              .c_str()),
              0);
    set_catalog({entry("tools", "new.tar.zst")});
    EXPECT_EQ(pull().state, job::State::Done);
    EXPECT_EQ(server_->requests().size(), before + 1);
    EXPECT_EQ(images_->find("tools")->source, server_->url("new.tar.zst"));
}

TEST_F(BundlePull, OfAnotherContentThanTheCatalogSaysLeavesNothing) {
    serve();
    const std::string other = sha256_of("another");
    set_catalog({entry("tools", "tools.tar.zst", {{"sha256", other}})});
    expect_refused(pull(), "sha256");
    EXPECT_THAT(partials(), IsEmpty()) << "what is wrong is not kept";
}

TEST_F(BundlePull, OfAnotherSizeThanTheCatalogSaysIsRefused) {
    serve();
    set_catalog({entry("tools", "tools.tar.zst", {{"size", 1000}})});
    expect_refused(pull(), "the catalog says 1000");
}

TEST_F(BundlePull, ThatBreaksOffIsRefused) {
    fs::resize_file(published("tools.tar.zst"), fs::file_size(published("tools.tar.zst")) / 2);
    serve();
    set_catalog({entry("tools", "tools.tar.zst")});
    expect_refused(pull(), "tools.tar.zst");
}

TEST_F(BundlePull, WithAMemberTooManyIsRefusedByItsName) {
    test::Tar(published("evil.tar")).add({.path = "../../.ssh/authorized_keys", .content = "x"});
    serve();
    set_catalog({entry("tools", "evil.tar")});
    expect_refused(pull(), "../../.ssh/authorized_keys");
}

TEST_F(BundlePull, ThatUnpacksToMoreThanItSaysIsRefused) {
    // 1 GiB of zeros, under a name that the manifest gives a few bytes.
    const std::string manifest =
        R"({"format":1,"kind":"image","files":[{"path":"rootfs.ext4","size":4096,"sha256":")" +
        std::string(64, 'a') + R"("}]})";
    write_file_atomically(directory_ / "manifest.json", manifest);
    const std::string command =
        "cd " + directory_.path().string() +
        " && truncate -s 1G rootfs.ext4 && tar --zstd -cf published/bomb.tar.zst manifest.json "
        "rootfs.ext4 && rm rootfs.ext4";
    ASSERT_EQ(std::system(command.c_str()), 0);
    serve();
    set_catalog({entry("tools", "bomb.tar.zst")});
    expect_refused(pull(), "rootfs.ext4");
}

TEST_F(BundlePull, GoesOnWhereAConnectionWasCut) {
    serve({"--cuts", "20"});
    set_catalog({entry("tools", "tools.tar.zst")});
    const auto end = pull();
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    EXPECT_EQ(images_->find("tools")->digest, image_.digest);
    const auto requests = server_->requests();
    ASSERT_EQ(requests.size(), 21U);
    for (std::size_t i = 1; i < requests.size(); ++i) {
        EXPECT_EQ(requests[i].at("status"), 206);
        EXPECT_TRUE(requests[i].at("if_range").is_string()) << "it asks for the same file";
    }
}

TEST_F(BundlePull, GoesOnWithAServerThatKnowsNoRanges) {
    serve({"--cuts", "2", "--no-range", "--no-length"});
    set_catalog(
        {entry("tools", "tools.tar.zst", {{"size", fs::file_size(published("tools.tar.zst"))}})});
    const auto end = pull();
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    EXPECT_EQ(images_->find("tools")->digest, image_.digest);
}

TEST_F(BundlePull, GoesOnWhereAnEarlierOneWasKilled) {
    serve({"--cuts", "1", "--seed", "3"});
    set_catalog({entry("tools", "tools.tar.zst")});
    image::PullRequest request;
    request.reference = "tools";
    const auto job = images_->pull(request);
    // After the first part has come.
    ASSERT_TRUE(
        eventually([&] { return server_->requests().size() >= 1 && !leftovers().empty(); }));
    job->cancel();
    ASSERT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_THAT(leftovers(), IsEmpty());
    EXPECT_THAT(images_->list(), IsEmpty());
    EXPECT_EQ(pull().state, job::State::Done);
    EXPECT_EQ(images_->find("tools")->digest, image_.digest);
}

TEST_F(BundlePull, ThatStandsStillCanBeCancelled) {
    serve({"--stall"});
    set_catalog({entry("tools", "tools.tar.zst")});
    image::PullRequest request;
    request.reference = "tools";
    const auto job = images_->pull(request);
    ASSERT_TRUE(eventually([&] { return !server_->requests().empty(); }));
    job->cancel();
    EXPECT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(BundlePull, OfOneNameIsSharedByTwo) {
    serve();
    set_catalog({entry("tools", "tools.tar.zst")});
    image::PullRequest request;
    request.reference = "tools";
    const auto first = images_->pull(request);
    EXPECT_EQ(images_->pull(request), first);
    EXPECT_EQ(end_of(first).state, job::State::Done);
    EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(BundlePull, OfAFileThatTheServerDoesNotHaveSaysSo) {
    serve();
    auto missing = entry("tools", "tools.tar.zst", {{"url", "gone.tar.zst"}});
    set_catalog({missing});
    const auto end = pull();
    expect_refused(end, "gone.tar.zst");
    EXPECT_EQ(end.error->code(), ErrorCode::NotFound);
}

TEST_F(BundlePull, AnExportReplacesNothingUnlessAsked) {
    const std::string before = sha256_of_file(published("tools.tar.zst"));
    try {
        export_image("tools", "tools.tar.zst");
        ADD_FAILURE() << "it was replaced";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
    }
    EXPECT_EQ(export_image("tools", "tools.tar.zst", true).state, job::State::Done);
    EXPECT_EQ(sha256_of_file(published("tools.tar.zst")), before) << "equal images, equal bytes";
}

TEST_F(BundlePull, ADamagedImageIsNotExported) {
    ASSERT_EQ(std::system(("printf x >>" + image_.rootfs().string()).c_str()), 0);
    const auto end = export_image("tools", "again.tar.zst");
    ASSERT_EQ(end.state, job::State::Failed);
    EXPECT_EQ(end.error->code(), ErrorCode::ImageCorrupt);
    EXPECT_FALSE(fs::exists(published("again.tar.zst")));
}

} // namespace
