#include "base/error.hpp"
#include "daemon/ext4/empty_disk.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>

using namespace banger;
using banger::test::ReadBack;

namespace {

TEST(EmptyDisk, IsSparseWithAJournalAndItsLabel) {
    const test::TemporaryDirectory directory;
    const auto path = directory / "disk";
    constexpr std::uint64_t size = 8ULL << 30U;
    const auto begin = std::chrono::steady_clock::now();
    ext4::format_empty_disk(path, size, "banger-overlay");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
    EXPECT_EQ(std::filesystem::file_size(path), size);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 4 << 20);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);

    EXPECT_EQ(test::e2fsck_complaint(path), "");
    const ReadBack read{path};
    EXPECT_EQ(read.label(), "banger-overlay");
    EXPECT_TRUE(read.has_journal());
    EXPECT_EQ(read.entries().size(), 2U) << "the root and lost+found";
}

TEST(EmptyDisk, OfTheSmallestAndOfOddSizesIsInOrder) {
    const test::TemporaryDirectory directory;
    for (const std::uint64_t size : {16ULL << 20U, (100ULL << 20U) + 12345, 129ULL << 20U}) {
        const auto path = directory / std::to_string(size);
        ext4::format_empty_disk(path, size, "banger-work");
        EXPECT_EQ(test::e2fsck_complaint(path), "") << size;
    }
}

TEST(EmptyDisk, LeavesWhatIsThere) {
    const test::TemporaryDirectory directory;
    const auto path = directory / "disk";
    std::ofstream{path} << "precious";
    EXPECT_THROW(ext4::format_empty_disk(path, 64U << 20U, "x"), Error);
    EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST(EmptyDisk, RefusesATooSmallDiskAndLeavesNothing) {
    const test::TemporaryDirectory directory;
    const auto path = directory / "disk";
    EXPECT_THROW(ext4::format_empty_disk(path, 1U << 20U, "x"), Error);
    EXPECT_FALSE(std::filesystem::exists(path));
}

} // namespace
