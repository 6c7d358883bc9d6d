#pragma once

#include <chrono>
#include <string_view>

/// What systemd is told about this unit (sd_notify(3)). Does nothing outside a unit.
namespace banger::supervisor::notify {

/// The line that `systemctl status` shows.
void status(std::string_view text);
/// The same, with the time that this stage may take from now on (EXTEND_TIMEOUT_USEC=).
void stage(std::string_view text, std::chrono::microseconds may_take);
void ready(std::string_view text);
void stopping(std::string_view text, std::chrono::microseconds may_take);

} // namespace banger::supervisor::notify
