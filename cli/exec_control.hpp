#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "cli/terminal.hpp"

#include <optional>
#include <string>

namespace banger::cli {

/// What the control socket of an exec tells (docs/dbus-api.md).
struct ExecEvent {
    enum class Kind {
        Other,  ///< started, or something newer than this program
        Ended,  ///< `status`
        Failed, ///< `code` and `message`
    };
    Kind kind = Kind::Other;
    int status = 0; ///< the exit status, or 128 + the number of a signal
    ErrorCode code = ErrorCode::Internal;
    std::string message;
};

/// Reads one packet. Throws Error{Internal} for one that is no JSON object.
ExecEvent parse_exec_event(std::string_view packet);

/// Our end of an exec's SEQPACKET socket. Closing it hangs up on the program.
class ExecControl {
public:
    ExecControl() = default;
    explicit ExecControl(UniqueFd socket) : socket_(std::move(socket)) {}

    int fd() const noexcept { return socket_.get(); }

    void resize(WindowSize size);
    void signal(int number);
    /// Blocks for the next packet; none: the other side has gone.
    std::optional<ExecEvent> receive();
    /// Blocks until the program runs. Throws its Error.
    void wait_for_start();

private:
    void send(const std::string &packet);

    UniqueFd socket_;
};

} // namespace banger::cli
