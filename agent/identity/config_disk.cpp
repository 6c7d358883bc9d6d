#include "agent/identity/identity.hpp"
#include "base/error.hpp"

#include <cstddef>

namespace banger::identity {
namespace {

constexpr std::string_view magic = "BANGER-IDENTITY\n";
constexpr std::size_t length_at = 16;
constexpr std::size_t json_at = 4096;
constexpr std::size_t block = 4096;
constexpr std::size_t size_limit = 1U << 20U;

} // namespace

std::string config_disk_image(const Identity &identity) {
    const std::string json = to_json(identity);
    if (json_at + json.size() > size_limit) {
        fail(ErrorCode::LimitsExceeded, "an identity of {} bytes does not fit the config disk",
             json.size());
    }
    std::string image(magic);
    for (unsigned byte = 0; byte < sizeof(std::uint64_t); ++byte) {
        image += static_cast<char>((std::uint64_t{json.size()} >> (byte * 8U)) & 0xffU);
    }
    image.resize(json_at);
    image += json;
    image.resize((image.size() + block - 1) / block * block);
    return image;
}

std::optional<Identity> identity_from_config_disk(std::string_view image) {
    if (!image.starts_with(magic)) {
        return std::nullopt;
    }
    if (image.size() < json_at) {
        fail(ErrorCode::InvalidArgument, "the config disk ends inside its header");
    }
    std::uint64_t length = 0;
    for (unsigned byte = 0; byte < sizeof(length); ++byte) {
        length |= std::uint64_t{static_cast<unsigned char>(image[length_at + byte])} << (byte * 8U);
    }
    if (length > size_limit || json_at + length > image.size()) {
        fail(ErrorCode::InvalidArgument, "the config disk names a length of {} bytes and has {}",
             length, image.size() - json_at);
    }
    return identity_from_json(image.substr(json_at, length));
}

} // namespace banger::identity
