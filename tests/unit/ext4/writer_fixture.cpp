#include "tests/unit/ext4/writer_fixture.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>

#include <cstring>
#include <random>

namespace banger::test {

std::filesystem::path WriterTest::write(const std::function<void(ext4::Writer &)> &fill,
                                        const std::string &name) {
    auto path = directory_ / name;
    const UniqueFd file = open_file(path, O_RDWR | O_CREAT | O_EXCL);
    ext4::WriterOptions options;
    options.label = "banger-test";
    options.sync = false;
    ext4::Writer writer{file.get(), options};
    fill(writer);
    writer.finish();
    EXPECT_EQ(e2fsck_complaint(path), "");
    return path;
}

std::string WriterTest::refusal(const std::function<void(ext4::Writer &)> &act,
                                ext4::WriterOptions options) {
    const UniqueFd file = open_file(directory_ / "refused", O_RDWR | O_CREAT | O_TRUNC);
    options.sync = false;
    ext4::Writer writer{file.get(), options};
    try {
        act(writer);
    } catch (const Error &error) {
        return std::string(to_string(error.code())) + ": " + error.what();
    }
    return "none";
}

ext4::Metadata metadata(std::uint16_t permissions, ext4::Time modified) {
    ext4::Metadata result;
    result.permissions = permissions;
    result.modified = modified;
    return result;
}

std::string pattern_of(std::size_t size, unsigned seed) {
    std::mt19937 random{seed};
    std::string data(size, '\0');
    for (std::size_t i = 0; i + 4 <= size; i += 4) {
        const auto word = static_cast<std::uint32_t>(random());
        std::memcpy(&data[i], &word, 4);
    }
    return data;
}

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span{text});
}

} // namespace banger::test
