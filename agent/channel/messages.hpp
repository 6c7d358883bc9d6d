#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What is said on the channel's resources (docs/channel.md), as values, with their JSON forms.
/// Every `parse_…` takes hostile input and throws Error{InvalidArgument}; unknown fields are
/// ignored, so that a newer peer can say more.
namespace banger::channel {

/// Version of the resources; a peer with another minor set of fields still understands it.
constexpr int protocol_version = 1;

/// Answer of GET /v1/hello.
struct Hello {
    int version = protocol_version;
    std::uint64_t boot_generation = 0;
    std::string boot_id;
    std::string agent_version;
    std::string init; ///< "systemd", "other" or "agent" (PID 1 is ours)
    std::string kernel;
};
std::string to_json(const Hello &hello);
Hello parse_hello(std::string_view json);

struct WindowSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
};

/// First line of an exec's control stream.
struct ExecSpec {
    std::vector<std::string> argv; ///< empty: the user's login shell
    std::vector<std::string> env;  ///< NAME=VALUE, over a login's environment
    std::string cwd;               ///< empty: the user's home
    std::string user;              ///< name or number, optionally ":group"; empty: root
    std::optional<WindowSize> tty; ///< a terminal of this size; stderr then goes to stdout
    std::string term;              ///< TERM of the terminal
    bool attach_stdin = false;     ///< else /dev/null
    bool attach_stdout = false;
    bool attach_stderr = false;
    bool detach = false; ///< lives on when the control stream ends
};
std::string to_json(const ExecSpec &spec);
ExecSpec parse_exec_spec(std::string_view json);

/// Further lines of the control stream, host to guest.
struct SignalRequest {
    std::string name; ///< "INT", "TERM" …, without SIG
};
struct EndOfInput {};
using ExecControl = std::variant<WindowSize, SignalRequest, EndOfInput>;
std::string to_json(const ExecControl &control);
ExecControl parse_exec_control(std::string_view json);

/// Lines of the control stream, guest to host. The last one is ExecExited, ExecSignalled or Error.
/// It comes when the process is dead; its output streams end by themselves, before or after.
struct ExecStarted {
    std::int64_t pid = 0;
};
struct ExecExited {
    int code = 0;
};
struct ExecSignalled {
    std::string name; ///< "KILL" …
    bool core = false;
};
using ExecReport = std::variant<ExecStarted, ExecExited, ExecSignalled, Error>;
std::string to_json(const ExecReport &report);
ExecReport parse_exec_report(std::string_view json);

/// Lines of GET /v1/events. Each client first gets what already holds.
struct Event {
    enum class Kind { LoginReady, BootFinished, Status, Shutdown };
    Kind kind = Kind::Status;
    std::string text; ///< Status: PID 1's words. Shutdown: "poweroff", "reboot" or "halt"
};
std::string to_json(const Event &event);
Event parse_event(std::string_view json);

/// Body of an answer with a status of 400 and above.
std::string to_json(const Error &error);
/// Takes anything; what is no such JSON becomes an Internal error that quotes its beginning.
Error parse_error(std::string_view json);

/// HTTP status that an error travels under.
int http_status(ErrorCode code) noexcept;

/// 16 hexadecimal digits for /v1/execs/ID, from getrandom(2).
std::string new_exec_id();

/// Cuts a stream of bytes into lines; a line longer than `limit` throws Error{LimitsExceeded}.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t limit = 256U << 10U) : limit_(limit) {}
    void feed(std::string_view bytes, const std::function<void(std::string_view line)> &on_line);

private:
    std::string pending_;
    std::size_t limit_;
};

} // namespace banger::channel
