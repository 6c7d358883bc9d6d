#include "cli/terminal.hpp"

#include "base/error.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cwchar>

namespace banger::cli {
namespace {

struct Character {
    std::size_t bytes;
    std::size_t columns;
};

// The character at the start of `text`; a byte that is none counts as one column.
Character first_character(std::string_view text) {
    std::mbstate_t state{};
    wchar_t wide = 0;
    const std::size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
    if (bytes == 0 || bytes > text.size()) {
        return {1, 1};
    }
    const int columns = ::wcwidth(wide);
    return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

} // namespace

WindowSize window_size(int fd) noexcept {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        return {};
    }
    return {size.ws_row, size.ws_col};
}

bool is_terminal(int fd) noexcept {
    return ::isatty(fd) == 1;
}

bool wants_color(int fd) noexcept {
    const char *no_color = std::getenv("NO_COLOR");
    const char *term = std::getenv("TERM");
    return is_terminal(fd) && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
           std::string_view{term} != "dumb";
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Character c = first_character(text);
        width += c.columns;
        text.remove_prefix(c.bytes);
    }
    return width;
}

std::string fit(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) {
        return std::string(text);
    }
    if (columns == 0) {
        return {};
    }
    std::size_t used = 0;
    std::string kept;
    while (!text.empty()) {
        const Character c = first_character(text);
        if (used + c.columns > columns - 1) {
            break;
        }
        used += c.columns;
        kept += text.substr(0, c.bytes);
        text.remove_prefix(c.bytes);
    }
    return kept + "…";
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    return result;
}

RawMode::RawMode(int fd) : fd_(fd) {
    termios now{};
    if (::tcgetattr(fd, &now) != 0) {
        return;
    }
    termios raw = now;
    ::cfmakeraw(&raw);
    if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) {
        throw_errno("switch the terminal to raw mode");
    }
    saved_ = now;
}

RawMode::~RawMode() {
    if (saved_) {
        ::tcsetattr(fd_, TCSADRAIN, &*saved_);
    }
}

} // namespace banger::cli
