#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/oci/blob_cache.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

using namespace banger;
using namespace banger::oci;
using testing::HasSubstr;

namespace {

const std::string content = "what is in the blob";
const Digest digest = Digest::of(content);
const Descriptor blob{digest, content.size(), "text/plain"};

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span{text});
}

class Cache : public testing::Test {
protected:
    std::filesystem::path blob_path() const {
        return directory_.path() / "blobs" / "sha256" / digest.hex();
    }
    std::filesystem::path partial_path() const { return blob_path().string() + ".partial"; }
    std::size_t file_count() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator{blob_path().parent_path()}, {}));
    }

    test::TemporaryDirectory directory_;
    BlobCache cache_{directory_.path()};
};

TEST_F(Cache, KeepsWhatItsDigestSays) {
    EXPECT_FALSE(cache_.contains(digest));
    cache_.put(digest, content);
    EXPECT_EQ(cache_.size_of(digest), content.size());
    EXPECT_EQ(cache_.open(blob, "the blob").read_all(100), content);
    EXPECT_EQ(file_count(), 1U);
}

TEST_F(Cache, TakesNothingElse) {
    EXPECT_THROW(cache_.put(digest, "something else"), Error);
    EXPECT_FALSE(cache_.contains(digest));
    EXPECT_EQ(file_count(), 0U);
}

TEST_F(Cache, APartialBlobGoesOnWhereItWas) {
    cache_.open_partial(digest)->append(bytes(content).first(5));
    const auto partial = cache_.open_partial(digest);
    EXPECT_EQ(partial->size(), 5U);
    partial->append(bytes(content).subspan(5));
    partial->publish();
    EXPECT_TRUE(cache_.contains(digest));
    EXPECT_FALSE(std::filesystem::exists(partial_path()));
}

TEST_F(Cache, APartialBlobThatIsWrongIsForgotten) {
    cache_.open_partial(digest)->append(bytes("wrong"));
    {
        const auto partial = cache_.open_partial(digest);
        partial->append(bytes(content).subspan(5));
        EXPECT_THROW(partial->publish(), Error);
    }
    EXPECT_EQ(file_count(), 0U);
}

TEST_F(Cache, TwoWritersOfOneBlobDoNotMeet) {
    const auto first = cache_.open_partial(digest);
    first->append(bytes(content).first(5));
    {
        const auto second = BlobCache{directory_.path()}.open_partial(digest);
        EXPECT_EQ(second->size(), 0U);
        second->append(bytes("left alone"));
    }
    {
        const auto third = cache_.open_partial(digest);
        third->append(bytes(content));
        third->publish();
    }
    first->append(bytes(content).subspan(5));
    first->publish();
    EXPECT_EQ(cache_.open(blob, "the blob").read_all(100), content);
    EXPECT_EQ(file_count(), 1U);
}

TEST_F(Cache, DamageIsNoticedWhenReadAndRemoved) {
    for (const std::string &damage :
         {std::string("what is in the blub"), std::string("short"), content + content}) {
        cache_.put(digest, content);
        write_file_atomically(blob_path(), damage);
        try {
            cache_.open(blob, "the blob").finish();
            ADD_FAILURE() << damage;
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::ImageCorrupt);
            EXPECT_THAT(error.what(), HasSubstr("the blob"));
        }
        EXPECT_FALSE(cache_.contains(digest));
    }
}

TEST_F(Cache, AReaderGivesNoMoreThanDeclared) {
    cache_.put(digest, content);
    BlobReader reader = cache_.open({digest, content.size() - 1, ""}, "the blob");
    EXPECT_THROW(reader.read(), Error);
}

TEST_F(Cache, ListsAndPrunesByLastUse) {
    using std::chrono::system_clock;
    cache_.put(digest, content);
    const std::string old_content = "old";
    const Digest old = Digest::of(old_content);
    cache_.put(old, old_content);
    const std::array<timespec, 2> long_ago{{{1000, 0}, {1000, 0}}};
    for (const Digest &one : {digest, old}) {
        ::utimensat(AT_FDCWD, (blob_path().parent_path() / one.hex()).c_str(), long_ago.data(), 0);
    }
    const auto before = system_clock::now() - std::chrono::hours{1};
    cache_.open(blob, "the blob").finish();
    cache_.open_partial(Digest::of("x"))->append(bytes("half"));

    const auto entries = cache_.list();
    EXPECT_EQ(entries.size(), 3U);
    EXPECT_EQ(
        std::count_if(entries.begin(), entries.end(), [](const auto &e) { return e.partial; }), 1);
    EXPECT_EQ(std::count_if(entries.begin(), entries.end(),
                            [&](const auto &e) { return e.last_used < before; }),
              1);
    EXPECT_EQ(cache_.prune(before), old_content.size());
    EXPECT_TRUE(cache_.contains(digest));
    EXPECT_FALSE(cache_.contains(old));
}

TEST_F(Cache, PruneLeavesWhatIsBeingWritten) {
    cache_.put(digest, content);
    cache_.open_partial(Digest::of("x"))->append(bytes("half"));
    const auto partial = cache_.open_partial(Digest::of("y"));
    partial->append(bytes("ha"));
    EXPECT_EQ(cache_.prune(std::nullopt), content.size() + 4);
    EXPECT_EQ(file_count(), 1U);
}

} // namespace
