#include "cli/errors.hpp"

#include <cstdio>

namespace banger::cli {
namespace {

// One write, so that lines of concurrent writers do not mix.
void print(std::string_view prefix, std::string_view message) {
    const std::string line = fmt::format("{}{}\n", prefix, message);
    std::fflush(stdout);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace

void print_error(std::string_view message) {
    if (!message.empty()) {
        print("banger: ", message);
    }
}

void print_warning(std::string_view message) {
    print("banger: warning: ", message);
}

void print_notice(std::string_view message) {
    print("", message);
}

Error readable(const sdbus::Error &error) {
    const std::string &name = error.getName();
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown") {
        return {ErrorCode::NotFound,
                fmt::format("the session bus cannot start bangerd ({}); is the package installed? "
                            "`banger doctor` tells more",
                            error.getMessage())};
    }
    if (name == "org.freedesktop.DBus.Error.NoReply" ||
        name == "org.freedesktop.DBus.Error.Timeout" ||
        name == "org.freedesktop.DBus.Error.TimedOut") {
        return {ErrorCode::GuestTimeout,
                fmt::format("bangerd did not answer ({}); see journalctl --user -u bangerd",
                            error.getMessage())};
    }
    if (name.starts_with("org.freedesktop.DBus.Error.Spawn")) {
        return {ErrorCode::Internal,
                fmt::format("bangerd could not be started ({}); see journalctl --user -u bangerd",
                            error.getMessage())};
    }
    return bus::from_bus_error(name, error.getMessage());
}

} // namespace banger::cli
