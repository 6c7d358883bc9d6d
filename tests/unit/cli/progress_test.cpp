#include "cli/job_progress.hpp"

#include <gtest/gtest.h>

#include <clocale>

namespace banger::cli {
namespace {

TEST(ProgressBar, ShowsTitleBarShareStageAndBytes) {
    EXPECT_EQ(progress_bar_line("image debian-bookworm",
                                {"downloading packages", 0.5, 12U << 20U, 50U << 20U}, 120),
              "image debian-bookworm [##########----------]  50 % downloading packages, 12 MiB of "
              "50 MiB");
}

TEST(ProgressBar, NeverGrowsWiderThanTheTerminal) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    const std::string line = progress_bar_line("kernel", {std::string(200, 'x'), 1.0}, 40);
    EXPECT_EQ(display_width(line), 40U);
}

TEST(ProgressBar, StaysWithinItsBoundsWhateverItIsTold) {
    EXPECT_EQ(progress_bar_line("a", {"b", 7.0}, 80), "a [####################] 100 % b");
}

TEST(ProgressBar, HasNoBarWhereNothingIsKnown) {
    EXPECT_EQ(progress_bar_line("sandbox", {"booting: docker\x1b", -1}, 80),
              "sandbox: booting: docker\\x1b");
}

} // namespace
} // namespace banger::cli
