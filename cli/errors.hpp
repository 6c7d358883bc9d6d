#pragma once

#include "base/error.hpp"
#include "dbus/guard.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace banger::cli {

/// Exit statuses of `banger`. A remote command's own status passes through unchanged.
namespace exit_status {
constexpr int failure = 1;
constexpr int usage = 2;
/// Banger's own failure where a remote command's status would stand (as docker run has it).
constexpr int own_failure = 125;
/// 128 + the signal's number, as a shell tells it.
constexpr int of_signal(int signal_number) {
    return 128 + signal_number;
}
} // namespace exit_status

/// The user (or the system) wants this process to end. Thrown by waits.
struct Interrupted {
    int signal_number;
};

/// "banger: message" on standard error; an empty message prints nothing.
void print_error(std::string_view message);
/// "banger: warning: message"
void print_warning(std::string_view message);
/// A line for people on standard error, which stays out of a command's output.
void print_notice(std::string_view message);

/// Runs calls to the bus; sdbus::Error becomes banger::Error with a message for people.
Error readable(const sdbus::Error &error);

template <typename Calls>
auto remote(Calls &&calls) -> decltype(calls()) {
    try {
        return std::forward<Calls>(calls)();
    } catch (const sdbus::Error &e) {
        throw readable(e);
    }
}

} // namespace banger::cli
