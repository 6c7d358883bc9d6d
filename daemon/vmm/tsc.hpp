#pragma once

#include <cstdint>

namespace banger::vmm {

/// Measures how fast this host's time stamp counter runs, against CLOCK_MONOTONIC. A guest under
/// software emulation sees that counter, and has nothing to measure it with: it must be told. The
/// span from construction to khz() is what is measured, so make one early; the clock that a guest
/// gets is as exact as the span is long.
class TscMeter {
public:
    TscMeter() noexcept;

    /// Rounded to 100 kHz (20 to 50 ppm), so that two VMs of one shape get one command line. 0
    /// where there is no such counter. Spins until the span is at least 10 ms.
    std::uint32_t khz() const noexcept;

private:
    struct Sample {
        std::uint64_t ticks = 0;
        std::uint64_t nanoseconds = 0;
    };
    static Sample sample() noexcept;

    Sample start_;
};

} // namespace banger::vmm
