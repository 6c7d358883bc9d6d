#include "cli/job_progress.hpp"

#include "base/byte_size.hpp"
#include "cli/errors.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace banger::cli {
namespace {

constexpr std::size_t bar_width = 20;

std::string bytes_text(const Progress &progress) {
    if (progress.bytes_total > 0) {
        return fmt::format(", {} of {}", format_byte_size(progress.bytes),
                           format_byte_size(progress.bytes_total));
    }
    return progress.bytes > 0 ? fmt::format(", {}", format_byte_size(progress.bytes)) : "";
}

} // namespace

std::string progress_bar_line(const std::string &title, const Progress &progress,
                              std::size_t columns) {
    if (progress.fraction < 0) {
        return fit(fmt::format("{}: {}{}", title, printable(progress.stage), bytes_text(progress)),
                   columns);
    }
    const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(fraction * bar_width);
    const std::string bar = std::string(filled, '#') + std::string(bar_width - filled, '-');
    return fit(fmt::format("{} [{}] {:3.0f} % {}{}", title, bar, fraction * 100,
                           printable(progress.stage), bytes_text(progress)),
               columns);
}

ProgressView::ProgressView(const std::string &title)
    : title_(printable(title)), on_terminal_(is_terminal(STDERR_FILENO)) {}

ProgressView::~ProgressView() {
    clear();
}

void ProgressView::show(const Progress &progress) {
    if (!on_terminal_) {
        if (!progress.stage.empty() && progress.stage != last_) {
            print_notice(fmt::format("{}: {}", title_, printable(progress.stage)));
            last_ = progress.stage;
        }
        return;
    }
    // The last column stays free: writing it would wrap on some terminals.
    const std::string line =
        progress_bar_line(title_, progress, window_size(STDERR_FILENO).columns - 1U);
    if (line != last_ || !drawn_) {
        std::fputs(fmt::format("\r\x1b[K{}", line).c_str(), stderr);
        last_ = line;
        drawn_ = true;
    }
}

void ProgressView::clear() {
    if (drawn_) {
        std::fputs("\r\x1b[K", stderr);
        drawn_ = false;
    }
}

} // namespace banger::cli
