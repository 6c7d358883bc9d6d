#include "daemon/supervisor/notify.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <string>

namespace banger::supervisor::notify {
namespace {

// One assignment a line: a line break in a text would begin another one.
std::string one_line(std::string_view text) {
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

void send(const std::string &message) {
    sd_notify(0, message.c_str());
}

} // namespace

void status(std::string_view text) {
    send(fmt::format("STATUS={}", one_line(text)));
}

void stage(std::string_view text, std::chrono::microseconds may_take) {
    send(fmt::format("STATUS={}\nEXTEND_TIMEOUT_USEC={}", one_line(text), may_take.count()));
}

void ready(std::string_view text) {
    send(fmt::format("READY=1\nSTATUS={}", one_line(text)));
}

void stopping(std::string_view text, std::chrono::microseconds may_take) {
    send(fmt::format("STOPPING=1\nSTATUS={}\nEXTEND_TIMEOUT_USEC={}", one_line(text),
                     may_take.count()));
}

} // namespace banger::supervisor::notify
