#include "daemon/vmm/tsc.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace banger::vmm {
namespace {

TEST(TscMeter, TwoMeasurementsAgree) {
    const TscMeter first;
    const std::uint32_t one = first.khz();
    const TscMeter second;
    const std::uint32_t other = second.khz();
    ASSERT_GT(one, 100'000U);
    EXPECT_LT(std::abs(static_cast<double>(one) - static_cast<double>(other)) / one, 1e-3);
}

TEST(TscMeter, IsRoundedSoThatCommandLinesAgree) {
    EXPECT_EQ(TscMeter().khz() % 100, 0U);
}

} // namespace
} // namespace banger::vmm
