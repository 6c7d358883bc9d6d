#include "base/error.hpp"
#include "daemon/oci/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::oci;
using testing::HasSubstr;

namespace {

const std::string hex(64, 'a');

std::string complete(const std::string &text) {
    return to_string(parse_reference(text));
}

std::string complaint(const std::string &text) {
    try {
        parse_reference(text);
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
        return error.what();
    }
    return "no error";
}

TEST(Reference, ShortNamesAreOfDockerHub) {
    EXPECT_EQ(complete("debian"), "docker.io/library/debian:latest");
    EXPECT_EQ(complete("debian:bookworm"), "docker.io/library/debian:bookworm");
    EXPECT_EQ(complete("org/img"), "docker.io/org/img:latest");
    EXPECT_EQ(complete("docker.io/debian"), "docker.io/library/debian:latest");
    EXPECT_EQ(complete("index.docker.io/library/debian"), "docker.io/library/debian:latest");
}

TEST(Reference, AFirstPartThatCanOnlyBeAHostIsTheRegistry) {
    EXPECT_EQ(complete("localhost/x"), "localhost/x:latest");
    EXPECT_EQ(complete("localhost:5000/x/y:tag"), "localhost:5000/x/y:tag");
    EXPECT_EQ(complete("ghcr.io/org/img:1.2"), "ghcr.io/org/img:1.2");
    EXPECT_EQ(complete("[::1]:5000/x"), "[::1]:5000/x:latest");
    EXPECT_EQ(complete("HOST/x"), "HOST/x:latest");
}

TEST(Reference, ADigestDecidesAndTheTagStays) {
    const auto reference =
        std::get<RegistryReference>(parse_reference("ghcr.io/org/img@sha256:" + hex));
    EXPECT_EQ(reference.tag, "");
    EXPECT_EQ(reference.tag_or_digest(), "sha256:" + hex);
    EXPECT_EQ(complete("debian:12@sha256:" + hex), "docker.io/library/debian:12@sha256:" + hex);
}

TEST(Reference, ALayoutAndAnArchiveAreSplitAtTheFirstColon) {
    const auto layout = std::get<OciDirectoryReference>(parse_reference("oci:/a/b:c:d"));
    EXPECT_EQ(layout.directory, "/a/b");
    EXPECT_EQ(layout.tag, "c:d");
    EXPECT_EQ(std::get<OciDirectoryReference>(parse_reference("oci:x")).tag, "");
    const auto archive =
        std::get<DockerArchiveReference>(parse_reference("docker-archive:/a.tar:debian:12"));
    EXPECT_EQ(archive.file, "/a.tar");
    EXPECT_EQ(archive.name, "docker.io/library/debian:12");
}

TEST(Reference, ItsCompleteFormIsReadBack) {
    for (const char *text : {"debian", "localhost:5000/x/y:tag", "oci:/a/b:c", "oci:a",
                             "docker-archive:/a.tar:debian:12", "docker-archive:a.tar"}) {
        EXPECT_EQ(complete(complete(text)), complete(text));
    }
}

TEST(Reference, AllElseIsRefusedWithAReason) {
    EXPECT_THAT(complaint(""), HasSubstr("is not an image"));
    EXPECT_THAT(complaint("docker://debian"), HasSubstr("scheme"));
    EXPECT_THAT(complaint("Debian"), HasSubstr("lower-case"));
    EXPECT_THAT(complaint("debian:"), HasSubstr("tag"));
    EXPECT_THAT(complaint("debian:-x"), HasSubstr("tag"));
    EXPECT_THAT(complaint("debian:" + std::string(129, 'x')), HasSubstr("tag"));
    EXPECT_THAT(complaint("debian@sha256:12"), HasSubstr("64"));
    EXPECT_THAT(complaint("debian@sha512:" + hex + hex), HasSubstr("sha256"));
    EXPECT_THAT(complaint(hex), HasSubstr("ID"));
    EXPECT_THAT(complaint("a//b"), HasSubstr("'a//b'"));
    EXPECT_THAT(complaint("../etc"), HasSubstr("'../etc'"));
    EXPECT_THAT(complaint("-x.io/a"), HasSubstr("registry"));
    EXPECT_THAT(complaint("user@host/a"), HasSubstr("'@'"));
    EXPECT_THAT(complaint("a\nb"), HasSubstr("is not an image"));
    EXPECT_THAT(complaint(std::string(100'000, 'a')), HasSubstr("too long"));
    EXPECT_THAT(complaint("a/" + std::string(254, 'a')), HasSubstr("255"));
    EXPECT_THAT(complaint("oci:"), HasSubstr("directory"));
    EXPECT_THAT(complaint("docker-archive:"), HasSubstr("file"));
}

TEST(Reference, GivesANameForTheImage) {
    const auto name = [](const std::string &text) {
        return default_image_name(parse_reference(text));
    };
    EXPECT_EQ(name("ghcr.io/org/img:1.2"), "img-1.2");
    EXPECT_EQ(name("debian"), "debian-latest");
    EXPECT_EQ(name("ghcr.io/org/img@sha256:" + hex), "img-aaaaaaaaaaaa");
    EXPECT_EQ(name("x:_1"), "x-_1");
    EXPECT_EQ(name("oci:/a/base image/:v 1"), "base-image-v-1");
    EXPECT_EQ(name("oci:/:t"), "t");
    EXPECT_EQ(name("oci:/"), "image");
    EXPECT_EQ(name("docker-archive:/a/my.tar"), "my");
    EXPECT_EQ(name("docker-archive:/a/my.tar:org/tool:3"), "tool-3");
    EXPECT_EQ(name("x:" + std::string(128, 'a')).size(), 128U);
}

} // namespace
