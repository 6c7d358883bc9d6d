#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/oci/auth.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

using namespace banger;
using namespace banger::oci;
using testing::HasSubstr;
using testing::Not;

namespace {

// base64 of "user:pass:word" and of "other:x".
constexpr const char *auth = R"({"auth": "dXNlcjpwYXNzOndvcmQ="})";
constexpr const char *other = R"({"auth": "b3RoZXI6eA=="})";

class StoredCredentials : public testing::Test {
protected:
    std::optional<Credentials> find(const std::string &text, std::string_view registry,
                                    std::string_view repository = "org/img") {
        write_file_atomically(directory_ / "config.json", text);
        return find_credentials({directory_ / "absent.json", directory_ / "config.json"}, registry,
                                repository);
    }

    // A docker-credential-test that answers so.
    void put_helper(const std::string &body) {
        write_file_atomically(directory_ / "docker-credential-test", "#!/bin/sh\n" + body, 0700);
        const char *path = std::getenv("PATH");
        ::setenv("PATH", (directory_.path().string() + ":" + path).c_str(), 1);
    }

    test::TemporaryDirectory directory_;
};

TEST_F(StoredCredentials, AreFoundByRegistry) {
    const std::string text = fmt::format(R"({{"auths": {{"ghcr.io": {}}}}})", auth);
    const auto found = find(text, "ghcr.io");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->username, "user");
    EXPECT_EQ(found->password, "pass:word");
    EXPECT_FALSE(find(text, "quay.io"));
    EXPECT_FALSE(find("{}", "ghcr.io"));
    EXPECT_FALSE(find(R"({"auths": {"ghcr.io": {}}})", "ghcr.io"));
}

TEST_F(StoredCredentials, OfDockerHubAreUnderItsOldAddress) {
    const std::string text =
        fmt::format(R"({{"auths": {{"https://index.docker.io/v1/": {}}}}})", auth);
    EXPECT_TRUE(find(text, "docker.io"));
    EXPECT_FALSE(find(text, "ghcr.io"));
    EXPECT_TRUE(find(fmt::format(R"({{"auths": {{"docker.io": {}}}}})", auth), "docker.io"));
}

TEST_F(StoredCredentials, OfAPartOfARegistryComeFirst) {
    const std::string text =
        fmt::format(R"({{"auths": {{"quay.io": {}, "quay.io/org": {}}}}})", auth, other);
    EXPECT_EQ(find(text, "quay.io", "org/img")->username, "other");
    EXPECT_EQ(find(text, "quay.io", "else/img")->username, "user");
    EXPECT_FALSE(
        find(fmt::format(R"({{"auths": {{"quay.io/org": {}}}}})", auth), "quay.io", "else/img"));
}

TEST_F(StoredCredentials, MayBeATokenAlone) {
    const auto found = find(R"({"auths": {"ghcr.io": {"identitytoken": "t"}}})", "ghcr.io");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->identity_token, "t");
}

TEST_F(StoredCredentials, ThatCannotBeReadAreNotQuoted) {
    for (const char *text :
         {R"({"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}})",
          R"({"auths": {"ghcr.io": {"auth": "s e c r e t"}}})",
          R"({"auths": {"ghcr.io": {"auth": "secret)", R"({"auths": {"ghcr.io": "secret"}})"}) {
        try {
            find(text, "ghcr.io");
            ADD_FAILURE() << text;
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::StateCorrupt);
            EXPECT_THAT(error.what(), HasSubstr("config.json"));
            EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
        }
    }
}

TEST_F(StoredCredentials, ComeFromAHelper) {
    put_helper("read -r server\necho \"{\\\"Username\\\": \\\"$1\\\", \\\"Secret\\\": "
               "\\\"$server\\\"}\"\n");
    auto found = find(R"({"credHelpers": {"ghcr.io": "test"}})", "ghcr.io");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->username, "get");
    EXPECT_EQ(found->password, "ghcr.io");
    found = find(R"({"credsStore": "test"})", "docker.io");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->password, "https://index.docker.io/v1/");
}

TEST_F(StoredCredentials, AHelperWithoutThemMeansNone) {
    put_helper("echo 'credentials not found in native keychain'; exit 1\n");
    EXPECT_FALSE(find(R"({"credsStore": "test"})", "ghcr.io"));
    EXPECT_TRUE(find(fmt::format(R"({{"credsStore": "test", "auths": {{"ghcr.io": {}}}}})", auth),
                     "ghcr.io"));
}

TEST_F(StoredCredentials, AHelperThatFailsIsNamedButNotQuoted) {
    put_helper("echo secret; echo secret >&2; exit 3\n");
    try {
        find(R"({"credsStore": "test"})", "ghcr.io");
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NotAuthorized);
        EXPECT_THAT(error.what(), HasSubstr("docker-credential-test"));
        EXPECT_THAT(error.what(), HasSubstr("status 3"));
        EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    }
}

TEST_F(StoredCredentials, AMissingStoreIsPassedOverAMissingHelperIsNot) {
    EXPECT_FALSE(find(R"({"credsStore": "nowhere"})", "ghcr.io"));
    EXPECT_THROW(find(R"({"credHelpers": {"ghcr.io": "nowhere"}})", "ghcr.io"), Error);
    EXPECT_THROW(find(R"({"credsStore": "../x"})", "ghcr.io"), Error);
}

TEST(Challenges, AreReadFromTheHeader) {
    const auto found = parse_challenges(
        R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
        R"(scope="repository:a/b:pull,push", Basic Realm="x\"y")");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].scheme, "bearer");
    EXPECT_EQ(found[0].parameters.at("scope"), "repository:a/b:pull,push");
    EXPECT_EQ(found[1].scheme, "basic");
    EXPECT_EQ(found[1].parameters.at("realm"), "x\"y");
}

TEST(Challenges, NonsenseIsLeftOut) {
    EXPECT_TRUE(parse_challenges("").empty());
    EXPECT_TRUE(parse_challenges(",,, \"").empty());
    EXPECT_TRUE(parse_challenges("a=b").empty());
    EXPECT_EQ(parse_challenges("Bearer realm=\"open").size(), 1U);
    EXPECT_EQ(parse_challenges("Negotiate, Basic").size(), 2U);
}

TEST(Authorization, OfUserAndPasswordIsBase64) {
    EXPECT_EQ(basic_authorization({"user", "pass:word", ""}), "Basic dXNlcjpwYXNzOndvcmQ=");
    EXPECT_EQ(basic_authorization({"other", "x", ""}), "Basic b3RoZXI6eA==");
}

} // namespace
