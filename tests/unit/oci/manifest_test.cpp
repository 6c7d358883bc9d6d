#include "base/error.hpp"
#include "daemon/oci/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace banger;
using namespace banger::oci;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

json blob(const std::string &type, const json &size = 10) {
    return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

json manifest() {
    return {{"schemaVersion", 2},
            {"config", blob("application/vnd.oci.image.config.v1+json")},
            {"layers", {blob("application/vnd.oci.image.layer.v1.tar+gzip")}}};
}

json entry(const std::string &os, const std::string &architecture,
           const std::string &variant = "") {
    json result = blob("application/vnd.oci.image.manifest.v1+json");
    result["platform"] = {{"os", os}, {"architecture", architecture}};
    if (!variant.empty()) {
        result["platform"]["variant"] = variant;
    }
    return result;
}

auto parse(const json &document, std::string_view type = "") {
    return parse_manifest(document.dump(), type, "the test");
}

template <typename Call>
std::pair<ErrorCode, std::string> error_of(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return {error.code(), error.what()};
    }
    return {ErrorCode::Internal, "no error"};
}

auto refusal(const json &document) {
    return error_of([&] { parse(document); });
}

TEST(Manifest, OfOciAndDockerAreRead) {
    auto document = manifest();
    auto image = std::get<ImageManifest>(parse(document));
    EXPECT_EQ(image.config.size, 10U);
    ASSERT_EQ(image.layers.size(), 1U);
    EXPECT_EQ(image.layers[0].digest.str(), digest);

    document["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json";
    document["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json";
    document["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    EXPECT_EQ(std::get<ImageManifest>(parse(document)).layers.size(), 1U);
}

TEST(Manifest, ThatReadsAsTwoKindsIsRefused) {
    auto document = manifest();
    document["manifests"] = json::array();
    EXPECT_EQ(refusal(document).first, ErrorCode::ImageCorrupt);
    document = manifest();
    document["mediaType"] = "application/vnd.oci.image.index.v1+json";
    EXPECT_EQ(refusal(document).first, ErrorCode::ImageCorrupt);
    EXPECT_EQ(error_of([] { parse(manifest(), "application/vnd.oci.image.index.v1+json"); }).first,
              ErrorCode::ImageCorrupt);
    EXPECT_EQ(refusal(json::object()).first, ErrorCode::ImageCorrupt);
}

TEST(Manifest, KindsOfLayersThatAreNotTakenAreNamed) {
    for (const char *type :
         {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
          "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "text/plain"}) {
        auto document = manifest();
        document["layers"][0]["mediaType"] = type;
        const auto [code, message] = refusal(document);
        EXPECT_EQ(code, ErrorCode::Unsupported);
        EXPECT_THAT(message, HasSubstr(type));
    }
}

TEST(Manifest, WhatIsNoContainerImageIsNamed) {
    auto document = manifest();
    document["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json";
    EXPECT_THAT(refusal(document).second, HasSubstr("helm"));
    document = manifest();
    document["schemaVersion"] = 1;
    EXPECT_THAT(refusal(document).second, HasSubstr("schema 1"));
}

TEST(Manifest, SizesAndDigestsAreChecked) {
    for (const json &size : {json(-1), json(1.5), json("10"), json(nullptr), json(1ULL << 50U)}) {
        auto document = manifest();
        document["layers"][0]["size"] = size;
        EXPECT_EQ(refusal(document).first, ErrorCode::ImageCorrupt) << size;
    }
    for (const char *bad : {"", "sha256:", "sha256:../../../../etc/passwd", "md5:aa"}) {
        auto document = manifest();
        document["layers"][0]["digest"] = bad;
        EXPECT_EQ(refusal(document).first, ErrorCode::ImageCorrupt) << bad;
    }
    auto document = manifest();
    document["layers"][0]["digest"] = "sha256:" + std::string(64, 'A');
    EXPECT_EQ(refusal(document).first, ErrorCode::ImageCorrupt);
}

TEST(Manifest, LimitsHold) {
    auto document = manifest();
    document["layers"] = json::array();
    for (std::size_t i = 0; i <= max_layers; ++i) {
        document["layers"].push_back(blob("application/vnd.oci.image.layer.v1.tar"));
    }
    EXPECT_EQ(refusal(document).first, ErrorCode::LimitsExceeded);
    document = manifest();
    document["config"]["size"] = max_config_bytes + 1;
    EXPECT_EQ(refusal(document).first, ErrorCode::LimitsExceeded);
    document = manifest();
    document["annotations"] = {{"x", std::string(max_manifest_bytes, 'x')}};
    EXPECT_EQ(refusal(document).first, ErrorCode::LimitsExceeded);
}

TEST(Manifest, WhateverIsNotOneIsCorrupt) {
    for (const std::string &text :
         {std::string(), std::string("null"), std::string("[]"), std::string("{"),
          std::string("\xff\xfe"), std::string(1'000'000, '['), std::string(R"({"manifests": 3})"),
          std::string(R"({"manifests": ["x"]})"), std::string(R"({"layers": {}, "config": []})")}) {
        EXPECT_EQ(error_of([&] { parse_manifest(text, "", "the test"); }).first,
                  ErrorCode::ImageCorrupt)
            << text.substr(0, 40);
    }
}

TEST(Index, GivesTheImageForThisPlatform) {
    json arm = entry("linux", "arm64");
    json demanding = entry("linux", "amd64", "v3");
    json plain = entry("linux", "amd64");
    plain["size"] = 77;
    const auto index = std::get<ImageIndex>(parse(json{{"manifests", {arm, demanding, plain}}}));
    EXPECT_EQ(select_platform(index, "the test").size, 77U);
}

TEST(Index, WithoutThisPlatformListsWhatThereIs) {
    const auto index = std::get<ImageIndex>(parse(json{
        {"manifests",
         {entry("linux", "arm", "v7"), entry("windows", "amd64"), entry("unknown", "unknown")}}}));
    const auto [code, message] = error_of([&] { select_platform(index, "the test"); });
    EXPECT_EQ(code, ErrorCode::Unsupported);
    EXPECT_THAT(message, HasSubstr("only for linux/arm/v7, windows/amd64"));
    EXPECT_THAT(message, testing::Not(HasSubstr("unknown/unknown")));
}

TEST(Index, AnOnlyEntryNeedsNoPlatform) {
    const json lone = blob("application/vnd.oci.image.manifest.v1+json");
    EXPECT_NO_THROW(
        select_platform(std::get<ImageIndex>(parse(json{{"manifests", {lone}}})), "the test"));
    const auto two = std::get<ImageIndex>(parse(json{{"manifests", {lone, lone}}}));
    EXPECT_THROW(select_platform(two, "the test"), Error);
}

TEST(Config, IsRead) {
    const json document{{"os", "linux"},
                        {"architecture", "amd64"},
                        {"config",
                         {{"Env", {"A=1", "B=2"}},
                          {"WorkingDir", "/srv"},
                          {"User", "1000:10"},
                          {"Entrypoint", {"/init"}},
                          {"Cmd", nullptr}}},
                        {"rootfs", {{"diff_ids", {digest}}}}};
    const ImageConfig config = parse_config(document.dump(), "the test");
    EXPECT_THAT(config.environment, ElementsAre("A=1", "B=2"));
    EXPECT_EQ(config.working_directory, "/srv");
    EXPECT_EQ(config.user, "1000:10");
    EXPECT_THAT(config.entrypoint, ElementsAre("/init"));
    EXPECT_TRUE(config.command.empty());
    EXPECT_EQ(config.diff_ids.front().str(), digest);
    EXPECT_EQ(config.json, document.dump());
}

TEST(Config, OfAnotherPlatformOrShapeIsRefused) {
    const auto refuse = [](const std::string &text) {
        return error_of([&] { parse_config(text, "the test"); });
    };
    const auto [code, message] = refuse(R"({"os": "linux", "architecture": "arm64"})");
    EXPECT_EQ(code, ErrorCode::Unsupported);
    EXPECT_THAT(message, HasSubstr("linux/arm64"));
    for (const char *text :
         {"{}", R"({"rootfs": {"diff_ids": [1]}})", R"({"rootfs": {"diff_ids": ["x"]}})",
          R"({"config": {"Env": "A=1"}, "rootfs": {}})"}) {
        EXPECT_EQ(refuse(text).first, ErrorCode::ImageCorrupt) << text;
    }
}

} // namespace
