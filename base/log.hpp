#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// Structured messages: to the journal where standard error is connected to it ($JOURNAL_STREAM),
/// else to standard error with a "<N>" prefix. Library code returns errors; who swallows one logs
/// it.
namespace banger::log {

/// Priorities of syslog(3).
enum class Level { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

/// An upper-case journal field (systemd.journal-fields(7)) and its value, for example {"BANGER_VM",
/// "sandbox"}.
using Field = std::pair<std::string_view, std::string>;

void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::Error, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::Warning, message, fields);
}
inline void notice(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::Notice, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::Info, message, fields);
}
inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::Debug, message, fields);
}

/// Messages above this level are dropped. Default: Info. Names as in LogControl1 ("err", "warning",
/// "debug" …); set_level(string) throws Error{InvalidArgument} for another name.
void set_level(Level level) noexcept;
void set_level(std::string_view name);
std::string_view level_name() noexcept;

} // namespace banger::log
