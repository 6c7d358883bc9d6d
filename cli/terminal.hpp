#pragma once

#include <termios.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banger::cli {

struct WindowSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
};

/// Of the terminal behind `fd`; the default where there is none.
WindowSize window_size(int fd) noexcept;

bool is_terminal(int fd) noexcept;

/// A terminal, NO_COLOR (no-color.org) empty or unset, and TERM not "dumb".
bool wants_color(int fd) noexcept;

/// Columns that the UTF-8 text takes, by wcwidth(3) of the locale.
std::size_t display_width(std::string_view text);

/// Cuts to at most `columns`, with "…" at the end of what was cut.
std::string fit(std::string_view text, std::size_t columns);

/// The text with control characters as "\x1b": what a guest or a remote server said must not drive
/// this terminal.
std::string printable(std::string_view text);

/// Raw mode of a terminal for as long as it lives; does nothing where there is no terminal.
class RawMode {
public:
    explicit RawMode(int fd);
    ~RawMode();
    RawMode(const RawMode &) = delete;
    RawMode &operator=(const RawMode &) = delete;

private:
    int fd_;
    std::optional<termios> saved_;
};

} // namespace banger::cli
