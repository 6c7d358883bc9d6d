#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace banger::image {

/// What mmdebstrap(1) --verbose tells on standard error, as progress of the whole build.
class BuildProgress {
public:
    /// Takes one line; true when it changed anything.
    bool take(std::string_view line);

    const std::string &stage() const noexcept { return stage_; }
    double whole() const noexcept { return whole_; } ///< 0 to 1, never goes back
    /// Of the downloads; 0: unknown.
    std::uint64_t bytes_done() const noexcept { return bytes_done_; }
    std::uint64_t bytes_total() const noexcept { return bytes_total_; }

    /// Where the writing of the image begins within the whole.
    static constexpr double at_image = 0.85;

private:
    bool enter(std::string_view stage, double at);
    bool advance(double to);

    std::string stage_ = "starting";
    double whole_ = 0;
    bool remaining_ = false; ///< in the second, larger round
    std::uint64_t bytes_done_ = 0;
    std::uint64_t bytes_total_ = 0;
    std::uint64_t steps_ = 0; ///< unpacked and configured packages
    std::uint64_t packages_ = 0;
};

} // namespace banger::image
