#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/catalog/load.hpp"
#include "daemon/image/build_progress.hpp"
#include "daemon/image/manifest.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job_table.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

using namespace banger;
using namespace banger::image;
using testing::HasSubstr;

namespace {

class ImageRegistry : public testing::Test {
protected:
    ImageRegistry() {
        block_signals({SIGCHLD});
        std::filesystem::create_directory(directory_ / "build");
    }

    std::unique_ptr<Registry> open() {
        return std::make_unique<Registry>(
            loop_,
            Registry::Settings{directory_ / "images", "/bin/false", directory_ / "blobs",
                               directory_ / "build", [] { return catalog::load({}, {}); }},
            [this](std::string kind, std::string subject) {
                return jobs_.add(std::move(kind), std::move(subject));
            },
            [this](const std::string &digest) {
                const auto found = users_.find(digest);
                return found == users_.end() ? std::vector<std::string>{} : found->second;
            });
    }

    /// As a former run has published it.
    Image put_image(const std::string &name, char digit) {
        Image image;
        image.name = name;
        image.digest = std::string(64, digit);
        image.kernel = "debian";
        image.source = "a test";
        image.packages = {"systemd", "sl"};
        image.build = {"debian-bookworm", {"sl"}, {{"docker-ce", false, "no network"}}};
        image.directory = directory_ / "images/by-digest" / image.digest;
        std::filesystem::create_directories(image.directory);
        std::filesystem::create_directories(directory_ / "images/names");
        write_file_atomically(image.directory / "manifest.json", to_json(image));
        write_file_atomically(image.rootfs(), "rootfs");
        write_file_atomically(
            directory_ / "images/names" / name,
            to_json(NameEntry{image.digest, image.source, image.kernel, "", image.build}));
        return image;
    }

    std::string refusal(const std::function<void()> &act) {
        try {
            act();
        } catch (const Error &error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return "none";
    }

    test::TemporaryDirectory directory_;
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::map<std::string, std::vector<std::string>> users_;
};

TEST_F(ImageRegistry, FindsWhatAFormerRunHasPublished) {
    const Image image = put_image("debian-bookworm", 'a');
    const auto images = open();
    ASSERT_EQ(images->list().size(), 1U);
    EXPECT_EQ(images->find("debian-bookworm")->digest, image.digest);
    for (const auto &found : {*images->find_digest(image.digest), *images->find(image.name)}) {
        EXPECT_EQ(found.build.recipe, "debian-bookworm");
        EXPECT_THAT(found.packages, testing::ElementsAre("systemd", "sl"));
        EXPECT_THAT(found.build.extra_packages, testing::ElementsAre("sl"));
        ASSERT_EQ(found.build.parts.size(), 1U);
        EXPECT_EQ(found.build.parts[0].name, "docker-ce");
        EXPECT_FALSE(found.build.parts[0].included);
        EXPECT_EQ(found.build.parts[0].reason, "no network");
    }
    EXPECT_EQ(images->find("debian-bookworm")->rootfs(), image.rootfs());
    EXPECT_FALSE(images->find("other"));
}

TEST_F(ImageRegistry, RemovesWhatAKilledBuildHasLeft) {
    std::filesystem::create_directories(directory_ / "images/tmp.killed");
    write_file_atomically(directory_ / "images/tmp.killed/rootfs.ext4", "half");
    open();
    EXPECT_FALSE(std::filesystem::exists(directory_ / "images/tmp.killed"));
}

TEST_F(ImageRegistry, OneDamagedImageDoesNotHideTheOthers) {
    put_image("good", 'a');
    put_image("bad", 'b');
    write_file_atomically(directory_ / "images/by-digest" / std::string(64, 'b') / "manifest.json",
                          "{ \"format\": 1");
    const auto images = open();
    EXPECT_TRUE(images->find("good"));
    EXPECT_FALSE(images->find("bad"));
}

TEST_F(ImageRegistry, AnImageInUseIsNotRemoved) {
    const Image image = put_image("debian-bookworm", 'a');
    users_[image.digest] = {"sandbox"};
    const auto images = open();
    EXPECT_THAT(refusal([&] { images->remove("debian-bookworm"); }),
                testing::AllOf(HasSubstr("InvalidState"), HasSubstr("sandbox")));
    EXPECT_TRUE(std::filesystem::exists(image.rootfs()));

    users_.clear();
    std::string removed;
    images->observe({{}, [&](const std::string &name) { removed = name; }});
    images->remove("debian-bookworm");
    EXPECT_EQ(removed, "debian-bookworm");
    EXPECT_FALSE(std::filesystem::exists(image.directory));
    EXPECT_TRUE(open()->list().empty());
}

TEST_F(ImageRegistry, AnOldImageStaysAsLongAsAVmPinsIt) {
    const Image old = put_image("debian-bookworm", 'a');
    const Image newer = put_image("debian-bookworm", 'b');
    users_[old.digest] = {"sandbox"};
    const auto images = open();
    images->collect_garbage();
    EXPECT_EQ(images->find("debian-bookworm")->digest, newer.digest);
    EXPECT_TRUE(images->find_digest(old.digest));
    users_.clear();
    images->collect_garbage();
    EXPECT_FALSE(images->find_digest(old.digest));
    EXPECT_FALSE(std::filesystem::exists(old.directory));
    EXPECT_TRUE(std::filesystem::exists(newer.directory));
}

TEST_F(ImageRegistry, AnUnknownNameIsRefusedWithWhatThereIs) {
    const auto images = open();
    EXPECT_THAT(refusal([&] {
                    images->build({"debian-potato", {}, {}, false});
                }),
                testing::AllOf(HasSubstr("NotFound"), HasSubstr("debian-potato"),
                               HasSubstr("debian-bookworm")));
    EXPECT_THAT(refusal([&] { images->remove("debian-potato"); }), HasSubstr("NotFound"));
}

TEST(BuildProgress, FollowsMmdebstrap) {
    BuildProgress progress;
    progress.take("I: downloading packages with apt...");
    progress.take("Need to get 29.7 MB of archives.");
    progress.take(
        "Get:1 http://deb.debian.org/debian bookworm/main amd64 bash amd64 5.2 [1491 kB]");
    EXPECT_EQ(progress.bytes_total(), 29'700'000U);
    EXPECT_EQ(progress.bytes_done(), 1'491'000U);
    progress.take("I: installing remaining packages inside the chroot...");
    EXPECT_EQ(progress.stage(), "downloading packages");
    progress.take("0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.");
    progress.take("Need to get 1,000 B of archives.");
    const double before = progress.whole();
    progress.take("Unpacking git (1:2.39.5-0+deb12u2) ...");
    EXPECT_EQ(progress.stage(), "installing packages");
    for (const char *line :
         {"Unpacking jq (1.6-2.1) ...", "Setting up git ...", "Setting up jq ..."}) {
        progress.take(line);
    }
    EXPECT_GT(progress.whole(), before);
    EXPECT_DOUBLE_EQ(progress.whole(), BuildProgress::at_image);
    progress.take("I: creating tarball...");
    EXPECT_EQ(progress.stage(), "writing the image");
    EXPECT_FALSE(progress.take("anything else"));
}

} // namespace
