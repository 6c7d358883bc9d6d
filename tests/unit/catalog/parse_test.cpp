#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "daemon/catalog/built_in.hpp"
#include "daemon/catalog/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::catalog;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const std::string digest(64, 'a');

std::string refusal(const std::string &text, const std::string &origin = "https://x.org/c.json") {
    try {
        parse(text, origin);
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
        return error.what();
    }
    return "none";
}

/// A catalog of one image whose bundle has this URL.
std::string bundle_at(const std::string &url) {
    return R"({"format":1,"images":[{"name":"tool","kernel":"debian","bundle":{"url":")" + url +
           R"(","sha256":")" + digest + R"(","size":7}}]})";
}

std::string recipe(const std::string &rest) {
    return R"({"format":1,"images":[{"name":"mine","kernel":"debian","recipe":{"suite":"trixie",)" +
           rest + "}}]}";
}

TEST(BuiltInCatalog, HoldsWhatTheDefaultImagePromises) {
    const Part part = parse(built_in(), "built in");
    const ImageEntry &entry = part.images.front();
    EXPECT_EQ(entry.name, "debian-bookworm");
    ASSERT_NE(entry.recipe(), nullptr);
    EXPECT_EQ(entry.recipe()->suite, "bookworm");
    EXPECT_EQ(entry.recipe()->variant, "minbase");
    for (const std::string package : {"systemd", "openssh-server", "docker.io", "git", "jq", "dbus",
                                      "udev", "libpam-systemd", "ca-certificates"}) {
        EXPECT_THAT(entry.recipe()->packages, Contains(package));
    }
}

TEST(BuiltInCatalog, HasAMinimalImageForEachDebian) {
    Catalog catalog;
    catalog.add(parse(built_in(), "built in"));
    for (const char *name : {"debian-bookworm-minimal", "debian-trixie-minimal"}) {
        const ImageEntry *entry = catalog.find_image(name);
        ASSERT_NE(entry, nullptr) << name;
        EXPECT_THAT(entry->recipe()->packages, Contains("openssh-server"));
        EXPECT_LT(entry->recipe()->image_bytes, 600 * MiB);
    }
}

TEST(CatalogFile, DescribesRecipesWithFurtherSourcesAndFiles) {
    const Part part = parse(recipe(R"("variant":"buildd","packages":["gcc","g++=4:12.2.0-3"],
        "build_size":"1700M","image_size":"2G",
        "sources":[{"name":"docker-ce","uri":"https://example.org/debian","suite":"trixie",
          "components":["stable"],"key":{"url":"https://example.org/key","sha256":")" +
                                   digest + R"("},
          "packages":["docker-ce"],"replaces":["docker.io"],"optional":true}],
        "files":[{"name":"tool","url":"https://example.org/tool","sha256":")" +
                                   digest + R"(","path":"/usr/local/bin/tool","mode":"0755"}])"),
                            "/etc/banger/catalog.d/mine.json");
    const ImageEntry &entry = part.images.at(0);
    EXPECT_EQ(entry.origin, "/etc/banger/catalog.d/mine.json");
    const Recipe &made = *entry.recipe();
    EXPECT_EQ(made.variant, "buildd");
    EXPECT_THAT(made.packages, ElementsAre("gcc", "g++=4:12.2.0-3"));
    EXPECT_EQ(made.image_bytes, 2 * GiB);
    ASSERT_EQ(made.sources.size(), 1U);
    EXPECT_EQ(made.sources[0].key.sha256, digest);
    EXPECT_THAT(made.sources[0].replaces, ElementsAre("docker.io"));
    EXPECT_TRUE(made.sources[0].optional);
    ASSERT_EQ(made.files.size(), 1U);
    EXPECT_EQ(made.files[0].path, "/usr/local/bin/tool");
    EXPECT_EQ(made.files[0].mode, 0755U);
    EXPECT_FALSE(made.files[0].optional);
}

TEST(CatalogFile, ARelativeUrlCountsFromTheCatalog) {
    const auto url = [](const std::string &text, const std::string &origin) {
        return parse(bundle_at(text), origin).images.at(0).bundle()->url;
    };
    EXPECT_EQ(url("b/tool.tar.zst", "https://x.org/banger/catalog.json"),
              "https://x.org/banger/b/tool.tar.zst");
    EXPECT_EQ(url("tool.tar.zst", "/srv/catalog/c.json"), "file:///srv/catalog/tool.tar.zst");
    EXPECT_EQ(url("http://y.org/t", "https://x.org/c.json"), "http://y.org/t");
}

TEST(CatalogFile, OnlyACatalogOfThisHostNamesFilesOfThisHost) {
    EXPECT_THAT(refusal(bundle_at("file:///etc/passwd")), HasSubstr("only a catalog on this host"));
    EXPECT_EQ(
        parse(bundle_at("file:///srv/t"), "/etc/banger/catalog.d/c.json").images[0].bundle()->url,
        "file:///srv/t");
    EXPECT_THAT(refusal(bundle_at("gopher://x.org/t")), HasSubstr("neither http nor https"));
}

TEST(CatalogFile, AMistakeIsNamedWithFileEntryAndKey) {
    EXPECT_THAT(refusal("{"), HasSubstr("https://x.org/c.json is no JSON"));
    EXPECT_THAT(refusal("[]"), HasSubstr("must be an object"));
    EXPECT_THAT(refusal("{}"), HasSubstr("has no \"format\""));
    EXPECT_THAT(refusal(R"({"format":2})"), HasSubstr("newer format"));
    EXPECT_THAT(refusal(R"({"format":1,"colour":1})"), HasSubstr("colour is not known"));
    EXPECT_THAT(refusal(R"({"format":1,"images":[{"name":"../x"}]})"), HasSubstr("images[0].name"));
    EXPECT_THAT(refusal(R"({"format":1,"images":[{"name":"x","kernel":"debian"}]})"),
                HasSubstr("image x needs either \"recipe\" or \"bundle\""));
    EXPECT_THAT(refusal(bundle_at("with blank")), HasSubstr("image tool.bundle.url"));
    EXPECT_THAT(refusal(recipe(R"("packages":"gcc")")),
                HasSubstr("image mine.recipe.packages has the wrong type"));
    EXPECT_THAT(refusal(recipe(R"("packages":["gcc;rm"])")),
                HasSubstr("\"gcc;rm\" is no name of a Debian package"));
    const std::string part = R"({"name":"f","url":"https://x.org/f","path":"/f","sha256":")" +
                             std::string(digest) + R"("})";
    EXPECT_THAT(refusal(recipe("\"files\":[" + part + "," + part + "]")),
                HasSubstr("has the part f twice"));
    EXPECT_THAT(refusal(recipe(R"("variant":"custom")")), HasSubstr("\"custom\" is none of"));
    EXPECT_THAT(refusal(recipe(R"("files":[{"name":"f","url":"https://x.org/f","sha256":"12"}])")),
                HasSubstr("is no sha256"));
    EXPECT_THAT(refusal(recipe(R"("files":[{"name":"f","url":"https://x.org/f","sha256":")" +
                               digest + R"(","path":"/usr/../etc/f"}])")),
                HasSubstr("no absolute path of a file"));
    EXPECT_THAT(refusal(recipe(R"("sources":[{"name":"s","uri":"https://x.org","suite":"a b"}])")),
                HasSubstr("\"a b\" is no suite"));
    EXPECT_THAT(
        refusal(recipe(
            R"("sources":[{"name":"s","uri":"https://x.org","suite":"a","components":[]}])")),
        HasSubstr("what is not signed is not installed"));
    const std::string twice = R"({"name":"k","bundle":{"url":"k","sha256":")" + digest + "\"}}";
    EXPECT_THAT(refusal(R"({"format":1,"kernels":[)" + twice + "," + twice + "]}"),
                HasSubstr("the kernel k twice"));
    EXPECT_THAT(refusal(std::string(max_file_bytes + 1, ' ')), HasSubstr("1 MiB at most"));
}

TEST(PackageNames, AreThoseOfDebian) {
    for (const char *good : {"gcc", "g++", "libstdc++6", "0ad", "linux-image-6.1.0-56-cloud-amd64",
                             "jq=1.6-2.1", "jq/bookworm-backports", "xz=1:2~rc1+b1"}) {
        EXPECT_NO_THROW(check_package(good)) << good;
    }
    for (const char *bad : {"", "x", "-gcc", "gcc-", "Gcc", "gcc jq", "gcc,jq", "gcc\n",
                            "gcc=", "jq=$(id)", "?installed", "~n.*", "./gcc.deb"}) {
        EXPECT_THROW(check_package(bad), Error) << bad;
    }
}

} // namespace
