#include "daemon/vm/generated_name.hpp"

#include "base/error.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace banger::vm {
namespace {

constexpr std::array<std::string_view, 32> adjectives{
    "able",  "amber", "bold",  "brave", "brisk", "calm",   "clear", "cosy",
    "crisp", "eager", "early", "fair",  "fleet", "fresh",  "glad",  "grand",
    "happy", "jolly", "keen",  "kind",  "light", "lively", "lucky", "merry",
    "mild",  "neat",  "proud", "quick", "quiet", "sunny",  "swift", "warm"};
constexpr std::array<std::string_view, 32> animals{
    "badger", "beaver", "bison", "crane", "dingo", "eagle",  "falcon", "ferret",
    "finch",  "gecko",  "heron", "ibis",  "koala", "lark",   "lemur",  "llama",
    "lynx",   "marten", "moose", "newt",  "otter", "panda",  "pika",   "puffin",
    "quokka", "raven",  "robin", "seal",  "stork", "toucan", "walrus", "wombat"};

} // namespace

std::string generated_name() {
    std::array<std::uint8_t, 4> random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        throw_errno("make a random name");
    }
    // The number makes room for many VMs: 32 × 32 × 100 names.
    return fmt::format("{}-{}{}", adjectives[random[0] % adjectives.size()],
                       animals[random[1] % animals.size()], (random[2] | (random[3] << 8)) % 100);
}

} // namespace banger::vm
