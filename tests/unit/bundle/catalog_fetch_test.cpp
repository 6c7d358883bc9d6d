#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/distribution/catalog_service.hpp"
#include "tests/unit/bundle/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

class CatalogFetch : public testing::Test, protected test::World {
protected:
    distribution::CatalogService open(const std::string &url) {
        return {[url] {
                    config::Config config;
                    config.catalogs = {{url, {}}};
                    return config;
                },
                {.system = directory_ / "none", .cache = directory_ / "catalogs"},
                workers_,
                [this](std::string kind, std::string subject) {
                    return jobs_.add(std::move(kind), std::move(subject));
                }};
    }
    void publish(const std::string &name) {
        const nlohmann::json document{
            {"format", 1},
            {"images",
             {{{"name", name},
               {"kernel", "debian"},
               {"bundle", {{"url", "x.tar.zst"}, {"sha256", std::string(64, 'a')}}}}}}};
        write_file_atomically(published("catalog.json"), document.dump());
    }
    job::Snapshot refresh(distribution::CatalogService &catalogs) {
        return end_of(catalogs.refresh());
    }
    static bool knows(const distribution::CatalogService &catalogs, const std::string &name) {
        return catalogs.catalog().find_image(name) != nullptr;
    }
};

TEST_F(CatalogFetch, IsKeptAndAskedForAgainOnlyWhereItHasChanged) {
    publish("first");
    serve();
    auto catalogs = open(server_->url("catalog.json"));
    EXPECT_FALSE(knows(catalogs, "first"));
    EXPECT_EQ(refresh(catalogs).state, job::State::Done);
    ASSERT_TRUE(knows(catalogs, "first"));
    EXPECT_EQ(catalogs.catalog().find_image("first")->bundle()->url, server_->url("x.tar.zst"))
        << "a relative URL counts from the catalog";

    EXPECT_EQ(refresh(catalogs).state, job::State::Done);
    EXPECT_EQ(server_->requests().back().at("status"), 304);
    EXPECT_TRUE(knows(catalogs, "first"));

    publish("second");
    EXPECT_EQ(refresh(catalogs).state, job::State::Done);
    EXPECT_EQ(server_->requests().back().at("status"), 200);
    EXPECT_TRUE(knows(catalogs, "second"));
    EXPECT_FALSE(knows(catalogs, "first"));
}

TEST_F(CatalogFetch, GoesByTheTimeWhereThereIsNoETag) {
    publish("first");
    serve({"--no-etag"});
    auto catalogs = open(server_->url("catalog.json"));
    refresh(catalogs);
    refresh(catalogs);
    EXPECT_TRUE(server_->requests().back().at("if_modified_since").is_string());
    EXPECT_EQ(server_->requests().back().at("status"), 304);
}

TEST_F(CatalogFetch, ThatCannotBeUsedLeavesTheLastCopyInUse) {
    publish("first");
    serve();
    auto catalogs = open(server_->url("catalog.json"));
    refresh(catalogs);
    for (const std::string &broken :
         {std::string{"{\"format\": 1, \"images\": ["}, std::string{R"({"format":1,"imagez":[]})"},
          "{\"format\":1}" + std::string(2U << 20U, ' ')}) {
        write_file_atomically(published("catalog.json"), broken);
        const auto end = refresh(catalogs);
        ASSERT_EQ(end.state, job::State::Failed);
        EXPECT_THAT(end.error->what(), HasSubstr(server_->url("catalog.json")));
        EXPECT_THAT(end.error->what(), HasSubstr("last copy stays in use"));
        EXPECT_TRUE(knows(catalogs, "first"));
    }
    server_.reset();
    const auto end = refresh(catalogs);
    ASSERT_EQ(end.state, job::State::Failed);
    EXPECT_EQ(end.error->code(), ErrorCode::NetworkUnavailable);
    EXPECT_TRUE(knows(catalogs, "first"));
}

TEST_F(CatalogFetch, ANameThatNoCatalogHasIsLookedForOnTheServers) {
    put_image("tools");
    ASSERT_EQ(export_image("tools", "tools.tar.zst").state, job::State::Done);
    serve();
    auto image = entry("tools", "tools.tar.zst");
    image["kernel"] = "debian";
    const nlohmann::json document{{"format", 1}, {"images", {image}}};
    write_file_atomically(published("catalog.json"), document.dump());

    auto catalogs = open(server_->url("catalog.json"));
    image::Registry::Settings settings;
    settings.directory = directory_ / "images2";
    settings.worker = BANGER_IMAGE_WORKER;
    settings.blobs = directory_ / "blobs";
    settings.build_parent = directory_ / "build";
    settings.catalog = [&] { return catalogs.catalog(); };
    settings.refresh = [&] { return catalogs.refresh(); };
    image::Registry images{loop_, settings,
                           [this](std::string kind, std::string subject) {
                               return jobs_.add(std::move(kind), std::move(subject));
                           },
                           nullptr};
    image::PullRequest request;
    request.reference = "tools";
    const auto end = end_of(images.pull(request));
    ASSERT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
    EXPECT_TRUE(images.find("tools"));

    request.reference = "nobody-has-this";
    const auto unknown = end_of(images.pull(request));
    ASSERT_EQ(unknown.state, job::State::Failed);
    EXPECT_EQ(unknown.error->code(), ErrorCode::NotFound);
    EXPECT_THAT(unknown.error->what(), HasSubstr("nobody-has-this"));
}

} // namespace
