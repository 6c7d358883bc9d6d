#include "base/files.hpp"
#include "daemon/catalog/load.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::catalog;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

namespace {

std::string image(const std::string &name, const std::string &description) {
    return R"({"format":1,"images":[{"name":")" + name + R"(","description":")" + description +
           R"(","kernel":"debian","bundle":{"url":"b.tar.zst","sha256":")" + std::string(64, 'a') +
           R"("}}]})";
}

class CatalogFiles : public testing::Test {
protected:
    CatalogFiles() {
        places_.system = directory_ / "catalog.d";
        places_.cache = directory_ / "cache";
        for (const auto &directory : {places_.system, places_.cache, directory_ / "mine"}) {
            fs::create_directory(directory);
        }
    }
    void put(const fs::path &file, const std::string &text) {
        write_file_atomically(directory_ / file, text);
    }

    test::TemporaryDirectory directory_;
    Places places_;
};

TEST_F(CatalogFiles, TheUsersCountBeforeTheAdministratorsAndThoseBeforeTheBuiltIn) {
    put("mine/a.json", image("tool", "the user's"));
    put("catalog.d/a.json", image("tool", "the administrator's"));
    put("catalog.d/b.json", image("debian-bookworm", "another"));
    const Catalog catalog = load({{"", directory_ / "mine"}}, places_);
    EXPECT_EQ(catalog.find_image("tool")->description, "the user's");
    EXPECT_EQ(catalog.find_image("debian-bookworm")->description, "another");
    EXPECT_EQ(catalog.find_image("debian-trixie")->origin, "built in");
    EXPECT_THAT(catalog.problems(), IsEmpty());
}

TEST_F(CatalogFiles, ADamagedFileKeepsNoOtherFromUse) {
    put("catalog.d/a.json", "{");
    put("catalog.d/b.json", image("tool", "whole"));
    put("catalog.d/readme.txt", "not a catalog");
    const Catalog catalog = load({{"", directory_ / "absent.json"}}, places_);
    EXPECT_NE(catalog.find_image("tool"), nullptr);
    EXPECT_NE(catalog.find_image("debian-bookworm"), nullptr);
    EXPECT_THAT(catalog.problems(), ElementsAre(HasSubstr("absent.json"), HasSubstr("a.json")));
}

TEST_F(CatalogFiles, OfAUrlThereIsWhatWasFetched) {
    const std::string url = "https://x.org/c.json";
    EXPECT_EQ(load({{url, {}}}, places_).find_image("tool"), nullptr);
    write_file_atomically(cached_file(places_.cache, url), image("tool", "fetched"));
    const Catalog catalog = load({{url, {}}}, places_);
    ASSERT_NE(catalog.find_image("tool"), nullptr);
    EXPECT_EQ(catalog.find_image("tool")->bundle()->url, "https://x.org/b.tar.zst");
}

} // namespace
