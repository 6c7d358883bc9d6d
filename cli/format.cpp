#include "cli/format.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace banger::cli {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t seconds;
};
constexpr std::array<Unit, 6> units{{{"year", 365 * std::int64_t{86400}},
                                     {"month", 30 * std::int64_t{86400}},
                                     {"day", 86400},
                                     {"hour", 3600},
                                     {"minute", 60},
                                     {"second", 1}}};

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    const unsigned char second = byte(1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    return overlong || outside ? 0 : length;
}

} // namespace

std::string format_age(std::chrono::microseconds age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    for (const auto &[name, length] : units) {
        if (const auto count = seconds / length; count > 0) {
            return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
        }
    }
    return "less than a second";
}

std::string format_duration(std::chrono::microseconds duration) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (milliseconds < 1000) {
        return fmt::format("{} ms", milliseconds);
    }
    if (milliseconds < 60'000) {
        return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000.0);
    }
    return fmt::format("{} min {} s", milliseconds / 60'000, milliseconds / 1000 % 60);
}

std::string format_since(std::uint64_t time_usec, std::uint64_t now) {
    if (time_usec == 0) {
        return {};
    }
    const std::uint64_t age = now > time_usec ? now - time_usec : 0;
    return format_age(std::chrono::microseconds{age}) + " ago";
}

std::string format_iso_time(std::uint64_t time_usec) {
    if (time_usec == 0) {
        return {};
    }
    const auto seconds = static_cast<std::time_t>(time_usec / 1'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

std::uint64_t now_usec() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::string quote_word(std::string_view word) {
    constexpr std::string_view bare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(bare) == std::string_view::npos) {
        return std::string(word);
    }
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted += c;
        }
    }
    return quoted + "'";
}

std::string quote_path(std::string_view path) {
    constexpr std::array<std::pair<char, char>, 7> short_escapes{{{'\a', 'a'},
                                                                  {'\b', 'b'},
                                                                  {'\t', 't'},
                                                                  {'\n', 'n'},
                                                                  {'\v', 'v'},
                                                                  {'\f', 'f'},
                                                                  {'\r', 'r'}}};
    std::string quoted = "\"";
    bool needed = false;
    for (std::size_t i = 0; i < path.size();) {
        const char c = path[i];
        const auto byte = static_cast<unsigned char>(c);
        const std::size_t length = utf8_length(path.substr(i));
        if (length > 1) {
            quoted += path.substr(i, length);
            i += length;
            continue;
        }
        const auto *escape =
            std::find_if(short_escapes.begin(), short_escapes.end(),
                         [c](const auto &candidate) { return candidate.first == c; });
        if (c == '"' || c == '\\') {
            needed = true;
            quoted += '\\';
            quoted += c;
        } else if (escape != short_escapes.end()) {
            needed = true;
            quoted += '\\';
            quoted += escape->second;
        } else if (length == 0 || byte < 0x20 || byte == 0x7f) {
            needed = true;
            quoted += fmt::format("\\{:03o}", byte);
        } else {
            quoted += c;
        }
        ++i;
    }
    return needed ? quoted + "\"" : std::string(path);
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

} // namespace banger::cli
