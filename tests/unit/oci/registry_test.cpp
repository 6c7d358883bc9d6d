// Images of a registry, from registry.py.

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/oci/blob_cache.hpp"
#include "daemon/oci/image_source.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/oci/layout_builder.hpp"
#include "tests/unit/oci/test_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

using namespace banger;
using namespace banger::oci;
using oci::test::LayoutBuilder;
using oci::test::some_bytes;
using oci::test::TestRegistry;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr std::size_t large = 300'000;

class Registry : public testing::Test {
protected:
    Registry() {
        ::setenv("no_proxy", "*", 1);
        layout_.tag(image_, "1.2");
        settings_.cache_directory = directory_ / "cache";
        settings_.http.retry_delay = std::chrono::milliseconds{1};
    }

    std::unique_ptr<TestRegistry> serve(std::vector<std::string> options = {},
                                        const std::string &log = "log") {
        return std::make_unique<TestRegistry>(layout_.directory(), directory_ / log,
                                              std::move(options));
    }

    std::unique_ptr<ImageSource> open(const TestRegistry &registry,
                                      const std::string &tag = ":1.2") {
        return open_source(parse_reference(registry.address() + "/org/img" + tag), settings_);
    }

    void pull(const TestRegistry &registry, const std::string &tag = ":1.2") {
        const auto source = open(registry, tag);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            EXPECT_TRUE(source->wait_for_layer(i).read_all(1U << 22U) == layers_[i]) << i;
        }
    }

    std::pair<ErrorCode, std::string> refusal(const TestRegistry &registry,
                                              const std::string &tag = ":1.2") {
        try {
            pull(registry, tag);
        } catch (const Error &error) {
            return {error.code(), error.what()};
        }
        return {ErrorCode::Internal, "no error"};
    }

    void log_in(const TestRegistry &registry, const std::string &entry) {
        write_file_atomically(
            directory_ / "config.json",
            fmt::format(R"({{"auths": {{"{}": {}}}}})", registry.address(), entry));
        settings_.credential_files = {directory_ / "config.json"};
    }

    std::vector<std::string> cached_files() const {
        std::vector<std::string> names;
        for (const auto &file :
             std::filesystem::directory_iterator{directory_ / "cache/blobs/sha256"}) {
            names.push_back(file.path().filename());
        }
        return names;
    }

    banger::test::TemporaryDirectory directory_;
    LayoutBuilder layout_{directory_ / "layout"};
    std::vector<std::string> layers_{some_bytes(large, 1), some_bytes(10, 2),
                                     some_bytes(large, 3), some_bytes(large, 1),
                                     some_bytes(large, 4), some_bytes(large, 5)};
    Descriptor image_ = layout_.add_image(layers_);
    Settings settings_;
};

TEST_F(Registry, GivesAnImage) {
    const auto registry = serve();
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    settings_.progress = [&](std::uint64_t now, std::uint64_t all) {
        EXPECT_GE(now, done);
        done = now;
        total = all;
    };
    {
        const auto source = open(*registry);
        EXPECT_EQ(source->image().manifest_digest, image_.digest);
        EXPECT_EQ(source->image().config.user, "me");
        EXPECT_EQ(source->image().layers.size(), layers_.size());
        EXPECT_TRUE(registry->requests(source->image().layers[0].digest.str()).empty());
    }
    pull(*registry);
    EXPECT_EQ(done, 4 * large + 10);
    EXPECT_EQ(total, done);
    EXPECT_THAT(registry->requests("manifests").front()["accept"].get<std::string>(),
                HasSubstr("application/vnd.oci.image.index.v1+json, "));
    for (const std::string &name : cached_files()) {
        EXPECT_EQ(name.size(), 64U) << name;
    }
}

TEST_F(Registry, IsAskedOnceForWhatIsInTheCache) {
    const auto registry = serve();
    pull(*registry);
    const auto before = registry->requests().size();
    pull(*registry);
    EXPECT_EQ(registry->requests().size(), before + 1);
    pull(*registry, "@" + image_.digest.str());
    EXPECT_EQ(registry->requests().size(), before + 1);
}

TEST_F(Registry, GivesTheImageForThisPlatform) {
    layout_.tag(layout_.add_index({{layout_.add_image({"arm"}, "arm64"), "linux/arm64"},
                                   {image_, "linux/amd64"}}),
                "multi");
    const auto registry = serve();
    pull(*registry, ":multi");
    EXPECT_EQ(registry->requests("manifests").size(), 2U);
}

TEST_F(Registry, IsNamedWhenTheImageIsNotThere) {
    const auto registry = serve();
    const auto [code, message] = refusal(*registry, ":3");
    EXPECT_EQ(code, ErrorCode::NotFound);
    EXPECT_THAT(message, HasSubstr(registry->address() + "/org/img:3"));
    EXPECT_THAT(message, HasSubstr("MANIFEST_UNKNOWN"));
}

TEST_F(Registry, ThatIsNotReachedIsNamed) {
    auto registry = serve();
    const std::string address = registry->address();
    registry.reset();
    try {
        open_source(parse_reference(address + "/org/img"), settings_);
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NetworkUnavailable);
        EXPECT_THAT(error.what(), HasSubstr(address));
    }
}

TEST_F(Registry, ACutDownloadGoesOnWhereItWas) {
    const auto registry = serve({"--cut", "200000", "--cut-times", "3"});
    pull(*registry);
    const auto requests = registry->requests("blobs");
    EXPECT_EQ(std::count_if(requests.begin(), requests.end(),
                            [](const auto &r) { return r["range"] == "bytes=200000-"; }),
              3);
}

TEST_F(Registry, ADownloadGoesOnInTheNextRun) {
    settings_.http.max_retries = 0;
    {
        const auto registry = serve({"--cut", "100000", "--cut-times", "1000"}, "first");
        const auto [code, message] = refusal(*registry);
        EXPECT_EQ(code, ErrorCode::NetworkUnavailable);
        EXPECT_THAT(message, HasSubstr("org/img:1.2"));
        EXPECT_THAT(cached_files(), testing::Contains(testing::EndsWith(".partial")));
    }
    const auto registry = serve();
    pull(*registry);
    const auto requests = registry->requests("blobs");
    EXPECT_GE(std::count_if(requests.begin(), requests.end(),
                            [](const auto &r) { return r["range"] == "bytes=100000-"; }),
              1);
}

TEST_F(Registry, ThatIgnoresRangeSendsAllAgain) {
    const auto registry = serve({"--cut", "200000", "--ignore-range"});
    pull(*registry);
}

TEST_F(Registry, OldBytesThatWereWrongAreFetchedAgain) {
    const Digest part = Digest::of(layers_[0]);
    const Digest whole = Digest::of(layers_[2]);
    const std::string wrong(large, 'x');
    const BlobCache cache{settings_.cache_directory};
    cache.open_partial(part)->append(std::as_bytes(std::span{wrong}).first(1000));
    cache.open_partial(whole)->append(std::as_bytes(std::span{wrong}));
    settings_.parallel_downloads = 1;
    const auto registry = serve();
    pull(*registry);
    EXPECT_EQ(registry->requests(part.str()).size(), 2U);
    EXPECT_EQ(registry->requests(whole.str()).size(), 1U);
}

TEST_F(Registry, IsAskedAgainWhenBusy) {
    for (const char *status : {"429", "503"}) {
        const auto registry = serve({"--fail", status, "--fail-times", "4"}, status);
        pull(*registry);
        std::filesystem::remove_all(settings_.cache_directory);
    }
}

TEST_F(Registry, ThatStaysBusyIsGivenUp) {
    settings_.http.max_retries = 2;
    const auto registry = serve({"--fail", "429", "--fail-times", "1000"});
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::NetworkUnavailable);
    EXPECT_THAT(message, HasSubstr("TOOMANYREQUESTS"));
    EXPECT_EQ(registry->requests().size(), 3U);
}

TEST_F(Registry, TellsHowLongToWait) {
    const auto registry = serve({"--fail", "503", "--retry-after", "1"});
    const auto start = std::chrono::steady_clock::now();
    open(*registry);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
}

TEST_F(Registry, WrongBytesDoNotGetIntoTheCache) {
    const auto registry = serve({"--wrong"});
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::ImageCorrupt);
    EXPECT_THAT(message, HasSubstr("digest"));
    EXPECT_THAT(cached_files(), testing::ElementsAre(image_.digest.hex()));
}

TEST_F(Registry, TooManyBytesAreNotTaken) {
    const auto registry = serve({"--long"});
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::ImageCorrupt);
    EXPECT_THAT(message, HasSubstr("longer"));
    EXPECT_THAT(cached_files(), testing::ElementsAre(image_.digest.hex()));
}

TEST_F(Registry, AnotherManifestThanTheDigestSaysIsRefused) {
    const auto registry = serve();
    write_file_atomically(layout_.path_of(image_.digest), "{}");
    EXPECT_EQ(refusal(*registry, "@" + image_.digest.str()).first, ErrorCode::ImageCorrupt);
    EXPECT_EQ(refusal(*registry).first, ErrorCode::ImageCorrupt);
}

TEST_F(Registry, GivesAnonymousTokens) {
    const auto registry = serve({"--auth", "bearer"});
    pull(*registry);
    const auto tokens = registry->requests("/token?");
    ASSERT_EQ(tokens.size(), 1U);
    EXPECT_THAT(tokens[0]["path"].get<std::string>(),
                HasSubstr("scope=repository%3Aorg%2Fimg%3Apull"));
    EXPECT_TRUE(tokens[0]["authorization"].is_null());
}

TEST_F(Registry, ATokenThatExpiresIsRenewed) {
    settings_.parallel_downloads = 1;
    const auto registry = serve({"--auth", "bearer", "--token-uses", "3"});
    pull(*registry);
    EXPECT_EQ(registry->requests("/token?").size(), 3U);
}

TEST_F(Registry, OneTokenIsRenewedForAllDownloads) {
    // For the manifest and the configuration; then four blobs are refused at once.
    const auto registry = serve({"--auth", "bearer", "--token-uses", "2", "--then-good"});
    pull(*registry);
    EXPECT_EQ(registry->requests("/token?").size(), 2U);
}

TEST_F(Registry, GivesTokensForAPassword) {
    const auto registry = serve({"--auth", "bearer", "--user", "user:pass:word"});
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::NotAuthorized);
    EXPECT_THAT(message, HasSubstr("docker login " + registry->address()));
    log_in(*registry, R"({"auth": "dXNlcjpwYXNzOndvcmQ="})");
    pull(*registry);
}

TEST_F(Registry, GivesTokensForARefreshToken) {
    const auto registry = serve({"--auth", "bearer"});
    log_in(*registry, R"({"identitytoken": "refresh"})");
    pull(*registry);
    EXPECT_EQ(registry->requests("/token").size(), 1U);
}

TEST_F(Registry, TakesAPasswordItself) {
    const auto registry = serve({"--auth", "basic", "--user", "user:pass:word"});
    EXPECT_EQ(refusal(*registry).first, ErrorCode::NotAuthorized);
    log_in(*registry, R"({"auth": "b3RoZXI6eA=="})");
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::NotAuthorized);
    EXPECT_THAT(message, HasSubstr("stored login"));
    EXPECT_THAT(message, Not(HasSubstr("b3RoZXI6eA")));
    log_in(*registry, R"({"auth": "dXNlcjpwYXNzOndvcmQ="})");
    pull(*registry);
}

TEST_F(Registry, AnotherHostOfBlobsGetsNoCredentials) {
    const auto blobs = serve({}, "blobs");
    const auto registry = serve({"--auth", "basic", "--user", "user:pass:word", "--redirect",
                                 "http://" + blobs->address()});
    log_in(*registry, R"({"auth": "dXNlcjpwYXNzOndvcmQ="})");
    pull(*registry);
    for (const auto &request : registry->requests("blobs")) {
        EXPECT_TRUE(request["authorization"].is_string());
    }
    ASSERT_FALSE(blobs->requests().empty());
    for (const auto &request : blobs->requests()) {
        EXPECT_TRUE(request["authorization"].is_null());
    }
}

TEST_F(Registry, ItsMirrorIsAskedFirst) {
    const auto mirror = serve({}, "mirror");
    settings_.mirrors["registry.invalid"] = {mirror->address()};
    const auto source = open_source(parse_reference("registry.invalid/org/img:1.2"), settings_);
    EXPECT_TRUE(source->wait_for_layer(0).read_all(1U << 22U) == layers_[0]);
}

TEST_F(Registry, AMirrorThatFailsIsPassedOver) {
    const auto registry = serve();
    const auto wrong = serve({"--wrong"}, "wrong");
    const auto busy = serve({"--fail", "503", "--fail-times", "1000"}, "busy");
    settings_.http.max_retries = 1;
    settings_.mirrors[registry->address()] = {"http://" + busy->address() + "/", wrong->address()};
    pull(*registry);
    EXPECT_EQ(busy->requests("blobs").size(), 0U);
    EXPECT_GT(wrong->requests("blobs").size(), 0U);
}

TEST_F(Registry, PlainHttpIsForThoseThatAreSaidToSpeakIt) {
    const auto registry = serve();
    // Another name of the same server that is not known to be the loopback interface.
    const auto port = registry->address().substr(registry->address().find(':'));
    const std::string name = "0.0.0.0" + port;
    const Reference reference = parse_reference(name + "/org/img:1.2");
    settings_.http.max_retries = 0;
    EXPECT_THROW(open_source(reference, settings_), Error);
    settings_.insecure_registries = {name};
    EXPECT_NO_THROW(open_source(reference, settings_));
}

TEST_F(Registry, LayersAreReadWhileOthersAreOnTheirWay) {
    settings_.parallel_downloads = 1;
    std::atomic<std::uint64_t> done = 0;
    settings_.progress = [&](std::uint64_t now, std::uint64_t) { done = now; };
    const auto registry = serve();
    const auto source = open(*registry);
    source->wait_for_layer(0).finish();
    EXPECT_TRUE(source->wait_for_layer(layers_.size() - 1).read_all(1U << 22U) == layers_.back());
    EXPECT_EQ(done, 4 * large + 10);
}

TEST_F(Registry, ASourceThatIsGoneDownloadsNoMore) {
    const auto registry = serve({"--stall"});
    const auto source_of_small = [&] {
        const auto source = open(*registry);
        source->wait_for_layer(1).finish();
    };
    const auto start = std::chrono::steady_clock::now();
    source_of_small();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{20});
}

TEST_F(Registry, AStalledDownloadIsCut) {
    settings_.http.low_speed_time = std::chrono::seconds{1};
    settings_.http.max_retries = 0;
    const auto registry = serve({"--stall"});
    const auto [code, message] = refusal(*registry);
    EXPECT_EQ(code, ErrorCode::NetworkUnavailable);
    EXPECT_THAT(message, HasSubstr("too slow"));
}

} // namespace
