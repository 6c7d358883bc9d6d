#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/oci/image_source.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/oci/layout_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::oci;
using oci::test::LayoutBuilder;
using testing::HasSubstr;

namespace {

class Layout : public testing::Test {
protected:
    std::unique_ptr<ImageSource> open(const std::string &tag = "") {
        return open_source(OciDirectoryReference{layout_.directory(), tag}, Settings{});
    }
    std::pair<ErrorCode, std::string> refusal(const std::string &tag = "") {
        try {
            open(tag);
        } catch (const Error &error) {
            return {error.code(), error.what()};
        }
        return {ErrorCode::Internal, "no error"};
    }

    banger::test::TemporaryDirectory directory_;
    LayoutBuilder layout_{directory_ / "layout"};
};

TEST_F(Layout, GivesConfigurationAndLayersInPlace) {
    const Descriptor manifest = layout_.add_image({"first", "second"});
    layout_.tag(manifest, "latest");
    const auto source = open();
    EXPECT_EQ(source->image().manifest_digest, manifest.digest);
    EXPECT_EQ(source->image().config.user, "me");
    ASSERT_EQ(source->image().layers.size(), 2U);
    EXPECT_EQ(source->wait_for_layer(1).read_all(100), "second");
    EXPECT_EQ(source->wait_for_layer(0).read_all(100), "first");
    EXPECT_EQ(source->wait_for_layer(0).read_all(100), "first");
}

TEST_F(Layout, GivesTheTaggedImage) {
    layout_.tag(layout_.add_image({"one"}), "1");
    layout_.tag(layout_.add_image({"two"}), "2");
    EXPECT_EQ(open("2")->wait_for_layer(0).read_all(100), "two");
    EXPECT_THAT(refusal().second, HasSubstr("1, 2"));
    const auto [code, message] = refusal("3");
    EXPECT_EQ(code, ErrorCode::NotFound);
    EXPECT_THAT(message, HasSubstr("only 1, 2"));
}

TEST_F(Layout, GivesTheImageForThisPlatform) {
    layout_.tag(layout_.add_index({{layout_.add_image({"arm"}, "arm64"), "linux/arm64"},
                                   {layout_.add_image({"amd"}), "linux/amd64"}}),
                "multi");
    EXPECT_EQ(open("multi")->wait_for_layer(0).read_all(100), "amd");
}

TEST_F(Layout, OfAnotherPlatformIsRefused) {
    layout_.tag(layout_.add_image({"arm"}, "arm64"), "arm");
    const auto [code, message] = refusal();
    EXPECT_EQ(code, ErrorCode::Unsupported);
    EXPECT_THAT(message, HasSubstr("linux/arm64"));
}

TEST_F(Layout, DamageIsNoticed) {
    const Descriptor manifest = layout_.add_image({"first"});
    layout_.tag(manifest, "latest");
    const auto source = open();
    const Descriptor layer = source->image().layers.front();
    write_file_atomically(layout_.path_of(layer.digest), "fIrst");
    EXPECT_THROW(source->wait_for_layer(0).finish(), Error);
    EXPECT_TRUE(std::filesystem::exists(layout_.path_of(layer.digest)));
    write_file_atomically(layout_.path_of(manifest.digest), std::string(manifest.size, ' '));
    EXPECT_EQ(refusal().first, ErrorCode::ImageCorrupt);
}

TEST_F(Layout, ThatIsNoneIsRefused) {
    const auto [code, message] = refusal();
    EXPECT_EQ(code, ErrorCode::NotFound);
    EXPECT_THAT(message, HasSubstr("index.json"));
}

} // namespace
