#pragma once

#include "cli/terminal.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace banger::cli {

/// What is known of a long operation at one moment.
struct Progress {
    std::string stage;       ///< "downloading packages"
    double fraction = 0;     ///< 0 to 1; below 0: not known, no bar
    std::uint64_t bytes = 0; ///< 0: says nothing of bytes
    std::uint64_t bytes_total = 0;
};

/// One line of at most `columns`: "image debian-bookworm [####------]  43 % downloading packages,
/// 12 MiB of 50 MiB".
std::string progress_bar_line(const std::string &title, const Progress &progress,
                              std::size_t columns);

/// Shows an operation on standard error: on a terminal one line that is drawn over and gone at the
/// end, elsewhere a plain line for each stage.
class ProgressView {
public:
    explicit ProgressView(const std::string &title);
    ~ProgressView();
    ProgressView(const ProgressView &) = delete;
    ProgressView &operator=(const ProgressView &) = delete;

    void show(const Progress &progress);
    /// Takes the line away, so that something else can be printed.
    void clear();

private:
    std::string title_;
    bool on_terminal_;
    bool drawn_ = false;
    std::string last_;
};

} // namespace banger::cli
