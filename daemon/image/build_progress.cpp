#include "daemon/image/build_progress.hpp"

#include <algorithm>
#include <charconv>

namespace banger::image {
namespace {

constexpr double at_essential = 0.08;
constexpr double at_download = 0.2;
constexpr double at_install = 0.35;

/// "29.7 MB of archives." → 29700000; apt writes "9417 kB", "29.7 MB", "1024 B", with factors of
/// 1000.
std::uint64_t parse_amount(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > 1e9) {
        return 0;
    }
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    const double factor = unit.starts_with(" kB")   ? 1e3
                          : unit.starts_with(" MB") ? 1e6
                          : unit.starts_with(" GB") ? 1e9
                                                    : 1;
    return static_cast<std::uint64_t>(number * factor);
}

std::uint64_t parse_count(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

bool BuildProgress::enter(std::string_view stage, double at) {
    bytes_done_ = 0;
    bytes_total_ = 0;
    stage_ = stage;
    advance(at);
    return true;
}

bool BuildProgress::advance(double to) {
    whole_ = std::max(whole_, to);
    return true;
}

bool BuildProgress::take(std::string_view line) {
    if (line.starts_with("I: downloading packages with apt")) {
        return enter("downloading the base system", 0.04);
    }
    if (line.starts_with("I: extracting archives")) {
        return enter("unpacking the base system", at_essential);
    }
    if (line.starts_with("I: installing essential packages")) {
        return enter("installing the base system", 0.1);
    }
    if (line.starts_with("I: installing remaining packages")) {
        remaining_ = true;
        steps_ = 0;
        packages_ = 0;
        return enter("downloading packages", at_download);
    }
    if (line.starts_with("I: cleaning package lists") || line.starts_with("I: creating tarball")) {
        return enter("writing the image", at_image);
    }
    if (line.starts_with("Need to get ")) {
        bytes_total_ = parse_amount(line.substr(sizeof "Need to get " - 1));
        return true;
    }
    if (const auto newly = line.find(" newly installed"); newly != std::string_view::npos) {
        const auto comma = line.rfind(' ', newly - 1);
        packages_ = parse_count(line.substr(comma == std::string_view::npos ? 0 : comma + 1));
        return true;
    }
    if (line.starts_with("Get:")) {
        const auto bracket = line.rfind('[');
        if (bracket == std::string_view::npos) {
            return false;
        }
        bytes_done_ += parse_amount(line.substr(bracket + 1));
        if (remaining_ && bytes_total_ > 0) {
            bytes_done_ = std::min(bytes_done_, bytes_total_);
            advance(at_download + static_cast<double>(bytes_done_) /
                                      static_cast<double>(bytes_total_) *
                                      (at_install - at_download));
        }
        return true;
    }
    if (remaining_ && (line.starts_with("Unpacking ") || line.starts_with("Setting up "))) {
        if (steps_ == 0) {
            enter("installing packages", at_install);
        }
        ++steps_;
        if (packages_ > 0) {
            const double fraction =
                std::min(1.0, static_cast<double>(steps_) / (2 * static_cast<double>(packages_)));
            advance(at_install + fraction * (at_image - at_install));
        }
        return true;
    }
    return false;
}

} // namespace banger::image
