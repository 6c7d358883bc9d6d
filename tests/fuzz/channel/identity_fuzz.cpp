// A config disk, and an identity that comes over the channel.
#include "agent/identity/identity.hpp"
#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace banger::identity;
    const std::string_view text{reinterpret_cast<const char *>(data), size};
    try {
        identity_from_config_disk(config_disk_image(identity_from_json(text)));
    } catch (const banger::Error &) {
        // What a reader says to bad input.
    }
    try {
        identity_from_config_disk(text);
    } catch (const banger::Error &) {
        // Likewise.
    }
    return 0;
}
