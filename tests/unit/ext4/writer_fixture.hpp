#pragma once

#include "daemon/ext4/writer.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace banger::test {

class WriterTest : public testing::Test {
protected:
    /// Writes what `fill` adds, checks it with e2fsck, and returns where it is.
    std::filesystem::path write(const std::function<void(ext4::Writer &)> &fill,
                                const std::string &name = "image");
    /// The Error that `act` gets.
    std::string refusal(const std::function<void(ext4::Writer &)> &act,
                        ext4::WriterOptions options = {});

    TemporaryDirectory directory_;
};

ext4::Metadata metadata(std::uint16_t permissions, ext4::Time modified = {1000, 0});
std::string pattern_of(std::size_t size, unsigned seed);
std::span<const std::byte> bytes(std::string_view text);

} // namespace banger::test
