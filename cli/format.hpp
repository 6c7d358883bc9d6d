#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace banger::cli {

/// "less than a second", "42 seconds", "3 minutes", "2 hours", "5 days", "4 months": one unit,
/// rounded down.
std::string format_age(std::chrono::microseconds age);

/// "850 ms", "12.4 s", "3 min 20 s"
std::string format_duration(std::chrono::microseconds duration);

/// "3 hours ago" of a time in microseconds since the epoch; "" for 0.
std::string format_since(std::uint64_t time_usec, std::uint64_t now_usec);

/// "2026-11-24T16:09:47Z"; "" for 0.
std::string format_iso_time(std::uint64_t time_usec);

/// Microseconds since the epoch.
std::uint64_t now_usec();

/// A word as a POSIX shell reads it back; bare where no character needs quoting.
std::string quote_word(std::string_view word);

/// A file name as git shows one: as it is, or in double quotes with C escapes when it holds control
/// characters, quotes, backslashes, or bytes that are no UTF-8.
std::string quote_path(std::string_view path);

/// Whether the bytes are well-formed UTF-8.
bool is_utf8(std::string_view text) noexcept;

} // namespace banger::cli
