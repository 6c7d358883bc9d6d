#include "daemon/vmm/tsc.hpp"

#include <cmath>
#include <ctime>
#include <limits>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace banger::vmm {
namespace {

constexpr std::uint64_t shortest_span = 10'000'000; // ns
constexpr std::uint64_t rounding = 100;             // kHz

std::uint64_t read_ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
}

} // namespace

TscMeter::TscMeter() noexcept : start_(sample()) {}

TscMeter::Sample TscMeter::sample() noexcept {
    // Of several readings the one that was interrupted least.
    Sample best;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 8; ++i) {
        timespec now{};
        const std::uint64_t before = read_ticks();
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const std::uint64_t width = read_ticks() - before;
        if (width < least) {
            least = width;
            best = {.ticks = before + width / 2,
                    .nanoseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                                   static_cast<std::uint64_t>(now.tv_nsec)};
        }
    }
    return best;
}

std::uint32_t TscMeter::khz() const noexcept {
    Sample end = sample();
    while (end.nanoseconds - start_.nanoseconds < shortest_span) {
        end = sample();
    }
    const auto ticks = static_cast<double>(end.ticks - start_.ticks);
    const auto milliseconds = static_cast<double>(end.nanoseconds - start_.nanoseconds) / 1e6;
    const auto rounded =
        static_cast<std::uint64_t>(std::llround(ticks / milliseconds / rounding)) * rounding;
    return rounded > std::numeric_limits<std::uint32_t>::max()
               ? 0
               : static_cast<std::uint32_t>(rounded);
}

} // namespace banger::vmm
