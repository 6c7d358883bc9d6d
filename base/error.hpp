#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace banger {

/// What kind of failure it was. Each maps to the D-Bus error name `org.banger.Error.<Kind>`
/// (docs/dbus-api.md) and to an exit status of the CLI. The set grows; treat an unknown one as
/// Internal.
enum class ErrorCode {
    NotFound,
    AlreadyExists,
    InvalidArgument,
    InvalidState,
    Busy,
    Unsupported,
    NotAuthorized,
    ImageCorrupt,
    NetworkUnavailable,
    VmmFailed,
    GuestTimeout,
    DiskFull,
    StateCorrupt,
    LimitsExceeded,
    Cancelled,
    Internal,
};

/// The last component of the D-Bus error name, for example "NotFound".
std::string_view to_string(ErrorCode code) noexcept;

/// The inverse of to_string(); Internal for a name that is not known.
ErrorCode error_code_from(std::string_view kind) noexcept;

/// The one error type of banger. The message says what failed, on what, and what to do next.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string &message) : std::runtime_error(message), code_(code) {}

    ErrorCode code() const noexcept { return code_; }

    /// The same error with "context: " in front of its message.
    Error with_context(std::string_view context) const;

private:
    ErrorCode code_;
};

/// Throws Error{code} with a message formatted as by fmt::format.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args &&...args) {
    throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an Error that carries the meaning of errno: ENOSPC and EDQUOT are DiskFull, ENOENT
/// NotFound, EACCES and EPERM NotAuthorized, all else Internal. `what` reads like "open
/// /dev/net/tun".
[[noreturn]] void throw_errno(std::string_view what);
[[noreturn]] void throw_errno(std::string_view what, int error_number);

} // namespace banger
