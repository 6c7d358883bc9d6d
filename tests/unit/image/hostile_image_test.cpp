#include "base/files.hpp"
#include "base/process.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"
#include "tests/unit/oci/layout_builder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

using namespace banger;
using banger::test::Tar;
using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

/// Images of strangers, in OCI layout, for the real banger-image-worker.
class HostileImage : public testing::Test {
protected:
    std::string tar_of(const std::vector<Tar::Entry> &entries) {
        const fs::path file = directory_ / "layer.tar";
        {
            Tar tar{file};
            for (const Tar::Entry &entry : entries) {
                tar.add(entry);
            }
        }
        return read_file(file, 1U << 30U);
    }

    void put_image(const std::vector<std::string> &layers) {
        layout_.tag(layout_.add_image(layers), std::to_string(++images_));
    }

    /// The error that the worker reports for the latest image; "" when it has made an image.
    std::string pull(const std::string &max_size = "1G") {
        const fs::path report = directory_ / "report";
        const UniqueFd output = open_file(report, O_WRONLY | O_CREAT | O_TRUNC);
        Command command;
        command.argv = {BANGER_IMAGE_WORKER,
                        "oci-to-ext4",
                        "--cache",
                        directory_ / "cache",
                        "--output",
                        image_,
                        "--max-size",
                        max_size,
                        fmt::format("oci:{}:{}", layout_.directory().string(), images_)};
        command.standard_output = output.get();
        const int status = spawn(command).wait();
        const std::string text = read_file(report, 1U << 20U);
        const auto last = nlohmann::json::parse(text.substr(text.rfind("\n{") + 1));
        EXPECT_EQ(status == 0, last.contains("result")) << text;
        EXPECT_EQ(status == 0, fs::exists(image_)) << "nothing half is left";
        if (status == 0) {
            EXPECT_EQ(test::e2fsck_complaint(image_), "");
            return {};
        }
        return last.at("error").at("code").get<std::string>() + ": " +
               last.at("error").at("message").get<std::string>();
    }

    std::string refusal_of(const std::vector<Tar::Entry> &entries) {
        put_image({tar_of(entries)});
        return pull();
    }

    test::TemporaryDirectory directory_;
    const fs::path image_ = directory_ / "image";
    /// What an escape would write to.
    const fs::path outside_ = directory_ / "outside";
    oci::test::LayoutBuilder layout_{directory_ / "layout"};
    int images_ = 0;
};

TEST_F(HostileImage, APathThatLeadsUpwardsIsRefused) {
    EXPECT_THAT(refusal_of({{.path = "a/../../../outside", .content = "x"}}),
                AllOf(HasSubstr("InvalidArgument"), HasSubstr("\"a/../../../outside\"")));
    EXPECT_FALSE(fs::exists(outside_));
}

TEST_F(HostileImage, AnAbsolutePathIsOneInsideTheImage) {
    EXPECT_EQ(refusal_of({{.path = outside_.string(), .content = "x"}}), "");
    EXPECT_FALSE(fs::exists(outside_));
    EXPECT_EQ(test::ReadBack{image_}.content(outside_.string().substr(1)), "x");
}

TEST_F(HostileImage, ASymbolicLinkLeadsNowhereOutside) {
    EXPECT_EQ(refusal_of({{.path = "absolute", .type = AE_IFLNK, .link = directory_.path()},
                          {.path = "absolute/outside", .content = "x"},
                          {.path = "upwards", .type = AE_IFLNK, .link = "../../../../../../tmp"},
                          {.path = "upwards/outside", .content = "y"}}),
              "");
    EXPECT_FALSE(fs::exists(outside_));
    const test::ReadBack read{image_};
    EXPECT_EQ(read.content(outside_.string().substr(1)), "x");
    EXPECT_EQ(read.content("tmp/outside"), "y");
}

TEST_F(HostileImage, AHardLinkToAFileOfTheHostIsRefused) {
    write_file_atomically(outside_, "of the host");
    for (const std::string &target : {outside_.string(), "../../../.." + outside_.string()}) {
        EXPECT_THAT(refusal_of({{.path = "stolen", .link = target}}),
                    AllOf(HasSubstr("\"stolen\""), HasSubstr("which is not there")));
    }
    struct stat status {};
    ASSERT_EQ(::stat(outside_.c_str(), &status), 0);
    EXPECT_EQ(status.st_nlink, 1U);
}

TEST_F(HostileImage, DevicesAreEntriesOfTheImageAlone) {
    std::vector<Tar::Entry> bomb;
    constexpr int count = 2000;
    for (int i = 0; i < count; ++i) {
        bomb.push_back({.path = fmt::format("dev/{}", i),
                        .type = i % 2 == 0 ? AE_IFBLK : AE_IFCHR,
                        .device = 8});
    }
    EXPECT_EQ(refusal_of(bomb), "");
    for (const auto &file : fs::recursive_directory_iterator(directory_.path())) {
        EXPECT_TRUE(file.is_regular_file() || file.is_directory()) << file.path();
    }
    EXPECT_TRUE(S_ISBLK(test::ReadBack{image_}.at("dev/0").mode));
}

TEST_F(HostileImage, ALayerThatIsNotAsLongAsItsDescriptorSaysIsRefused) {
    const std::string layer = tar_of({{.path = "file", .content = std::string(5000, 'x')}});
    const auto digest = oci::Digest::of(layer);
    put_image({layer});
    write_file_atomically(layout_.path_of(digest), layer + std::string(512, '\0'));
    EXPECT_THAT(pull(), AllOf(HasSubstr("ImageCorrupt"), HasSubstr("layer 1"),
                              HasSubstr(fmt::format("longer than {} bytes", layer.size()))));
    write_file_atomically(layout_.path_of(digest), layer.substr(0, layer.size() - 512));
    EXPECT_THAT(pull(), AllOf(HasSubstr("ImageCorrupt"), HasSubstr("layer 1")));
    std::string changed = layer;
    changed[600] ^= 1;
    write_file_atomically(layout_.path_of(digest), changed);
    EXPECT_THAT(pull(), AllOf(HasSubstr("ImageCorrupt"), HasSubstr("digest")));
}

TEST_F(HostileImage, AnEntryThatEndsBeforeItsSizeIsRefused) {
    const std::string layer = tar_of(
        {{.path = "first", .content = "x"}, {.path = "cut", .content = std::string(100'000, 'x')}});
    put_image({layer.substr(0, 50'176)});
    EXPECT_THAT(pull(), AllOf(HasSubstr("ImageCorrupt"), HasSubstr("\"cut\"")));
}

/// Writes `bytes` zeros as one file of a tar through `filter`, in pieces.
void write_bomb(const fs::path &path, int (*filter)(archive *), std::uint64_t bytes) {
    const std::unique_ptr<archive, int (*)(archive *)> tar{archive_write_new(), archive_write_free};
    filter(tar.get());
    archive_write_set_format_pax(tar.get());
    ASSERT_EQ(archive_write_open_filename(tar.get(), path.c_str()), ARCHIVE_OK);
    const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                          archive_entry_free};
    archive_entry_set_pathname(entry.get(), "the-bomb");
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    ASSERT_EQ(archive_write_header(tar.get(), entry.get()), ARCHIVE_OK);
    const std::string zeros(1U << 20U, '\0');
    for (std::uint64_t done = 0; done < bytes; done += zeros.size()) {
        ASSERT_GE(archive_write_data(tar.get(), zeros.data(), zeros.size()), 0);
    }
}

TEST_F(HostileImage, ALayerThatUnpacksToMoreThanTheLimitIsRefused) {
    constexpr std::uint64_t unpacked = 512U << 20U;
    for (const auto filter : {archive_write_add_filter_gzip, archive_write_add_filter_zstd}) {
        write_bomb(directory_ / "bomb", filter, unpacked);
        const std::string layer = read_file(directory_ / "bomb");
        ASSERT_LT(layer.size(), unpacked / 500);
        put_image({layer});
        EXPECT_THAT(pull("64M"), AllOf(HasSubstr("LimitsExceeded"), HasSubstr("\"the-bomb\""),
                                       HasSubstr("MiB")));
    }
}

TEST_F(HostileImage, ADirectoryThatComesWithoutEndIsRefused) {
    const std::string once = test::ustar_block("again", '5', 0);
    std::string layer;
    while (layer.size() <= 16U << 20U) {
        layer += once;
    }
    put_image({layer});
    EXPECT_THAT(pull("16M"), AllOf(HasSubstr("LimitsExceeded"), HasSubstr("layer 1"),
                                   HasSubstr("more than 16 MiB")));
}

} // namespace
