#include "base/error.hpp"
#include "daemon/oci/image_source.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace banger;
using namespace banger::oci;
using nlohmann::json;
using testing::HasSubstr;

namespace {

struct TarEntry {
    std::string name;
    std::string content;
    std::string link_target;
};

void write_tar(const std::filesystem::path &path, const std::vector<TarEntry> &entries, bool gzip) {
    const std::unique_ptr<archive, int (*)(archive *)> out{archive_write_new(), archive_write_free};
    if (gzip) {
        archive_write_add_filter_gzip(out.get());
    }
    archive_write_set_format_pax_restricted(out.get());
    archive_write_open_filename(out.get(), path.c_str());
    for (const TarEntry &one : entries) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                              archive_entry_free};
        archive_entry_set_pathname(entry.get(), one.name.c_str());
        archive_entry_set_perm(entry.get(), 0644);
        if (one.link_target.empty()) {
            archive_entry_set_filetype(entry.get(), AE_IFREG);
            archive_entry_set_size(entry.get(), static_cast<la_int64_t>(one.content.size()));
        } else {
            archive_entry_set_filetype(entry.get(), AE_IFLNK);
            archive_entry_set_symlink(entry.get(), one.link_target.c_str());
        }
        archive_write_header(out.get(), entry.get());
        archive_write_data(out.get(), one.content.data(), one.content.size());
    }
}

std::string config_of(const std::vector<std::string> &layers) {
    json config{
        {"os", "linux"}, {"architecture", "amd64"}, {"rootfs", {{"diff_ids", json::array()}}}};
    for (const std::string &layer : layers) {
        config["rootfs"]["diff_ids"].push_back(Digest::of(layer).str());
    }
    return config.dump();
}

class DockerSave : public testing::Test {
protected:
    std::unique_ptr<ImageSource> open(const std::vector<TarEntry> &entries,
                                      const std::string &name = "", bool gzip = false) {
        write_tar(directory_ / "a.tar", entries, gzip);
        Settings settings;
        settings.cache_directory = directory_ / "cache";
        return open_source(DockerArchiveReference{directory_ / "a.tar", name}, settings);
    }
    std::pair<ErrorCode, std::string> refusal(const std::vector<TarEntry> &entries,
                                              const std::string &name = "") {
        try {
            open(entries, name);
        } catch (const Error &error) {
            return {error.code(), error.what()};
        }
        return {ErrorCode::Internal, "no error"};
    }

    test::TemporaryDirectory directory_;
};

// As Docker 24 and before, equal layers once.
std::vector<TarEntry> classic() {
    const json manifest{{{"Config", "c.json"},
                         {"RepoTags", {"debian:12", "org/x:1"}},
                         {"Layers", {"a/layer.tar", "b/layer.tar", "c/layer.tar"}}}};
    return {{"a/layer.tar", "first", ""},
            {"b/layer.tar", "second", ""},
            {"c/layer.tar", "", "../a/layer.tar"},
            {"c.json", config_of({"first", "second", "first"}), ""},
            {"manifest.json", manifest.dump(), ""}};
}

TEST_F(DockerSave, IsReadWithItsLinks) {
    for (const bool gzip : {false, true}) {
        const auto source = open(classic(), "", gzip);
        ASSERT_EQ(source->image().layers.size(), 3U);
        EXPECT_EQ(source->wait_for_layer(0).read_all(100), "first");
        EXPECT_EQ(source->wait_for_layer(1).read_all(100), "second");
        EXPECT_EQ(source->wait_for_layer(2).read_all(100), "first");
        EXPECT_EQ(source->image().manifest_digest,
                  Digest::of(config_of({"first", "second", "first"})));
    }
}

TEST_F(DockerSave, IsFoundByName) {
    EXPECT_NO_THROW(open(classic(), "docker.io/library/debian:12"));
    const auto [code, message] = refusal(classic(), "docker.io/library/fedora:40");
    EXPECT_EQ(code, ErrorCode::NotFound);
    EXPECT_THAT(message, HasSubstr("docker.io/library/debian:12, docker.io/org/x:1"));
}

TEST_F(DockerSave, OfTheLayoutKindKeepsItsCompressedLayers) {
    const std::string packed = "\x1f\x8b packed";
    const auto blob = [](const std::string &content) {
        return "blobs/sha256/" + Digest::of(content).hex();
    };
    const std::string config = config_of({"unpacked"});
    const json manifest{
        {{"Config", blob(config)}, {"RepoTags", nullptr}, {"Layers", {blob(packed)}}}};
    const auto source = open({{blob(config), config, ""},
                              {blob(packed), packed, ""},
                              {"manifest.json", manifest.dump(), ""}});
    EXPECT_EQ(source->wait_for_layer(0).read_all(100), packed);
    EXPECT_THAT(source->image().layers[0].media_type, HasSubstr("tar.gzip"));
}

TEST_F(DockerSave, ALayerThatIsNotWhatTheConfigurationSaysIsRefused) {
    auto entries = classic();
    entries[1].content = "sEcond";
    EXPECT_EQ(refusal(entries).first, ErrorCode::ImageCorrupt);
}

TEST_F(DockerSave, WithoutItsPartsIsRefused) {
    for (const std::size_t left_out : {0U, 1U, 3U, 4U}) {
        auto entries = classic();
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(left_out));
        std::filesystem::remove_all(directory_ / "cache");
        EXPECT_EQ(refusal(entries).first, ErrorCode::ImageCorrupt) << left_out;
    }
    EXPECT_EQ(refusal({{"manifest.json", "[3]", ""}}).first, ErrorCode::ImageCorrupt);
    EXPECT_EQ(refusal({{"manifest.json", "{", ""}}).first, ErrorCode::ImageCorrupt);
}

TEST_F(DockerSave, OfMoreThanOneImageNeedsAName) {
    auto entries = classic();
    json manifest = json::parse(entries[4].content);
    manifest.push_back(manifest[0]);
    manifest[1]["RepoTags"] = {"second:1"};
    entries[4].content = manifest.dump();
    const auto [code, message] = refusal(entries);
    EXPECT_EQ(code, ErrorCode::InvalidArgument);
    EXPECT_THAT(message, HasSubstr("docker.io/library/second:1"));
    EXPECT_NO_THROW(open(entries, "docker.io/library/second:1"));
}

} // namespace
