#include "base/error.hpp"

#include <array>
#include <cerrno>
#include <system_error>

namespace banger {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 16> kinds{{
    {ErrorCode::NotFound, "NotFound"},
    {ErrorCode::AlreadyExists, "AlreadyExists"},
    {ErrorCode::InvalidArgument, "InvalidArgument"},
    {ErrorCode::InvalidState, "InvalidState"},
    {ErrorCode::Busy, "Busy"},
    {ErrorCode::Unsupported, "Unsupported"},
    {ErrorCode::NotAuthorized, "NotAuthorized"},
    {ErrorCode::ImageCorrupt, "ImageCorrupt"},
    {ErrorCode::NetworkUnavailable, "NetworkUnavailable"},
    {ErrorCode::VmmFailed, "VmmFailed"},
    {ErrorCode::GuestTimeout, "GuestTimeout"},
    {ErrorCode::DiskFull, "DiskFull"},
    {ErrorCode::StateCorrupt, "StateCorrupt"},
    {ErrorCode::LimitsExceeded, "LimitsExceeded"},
    {ErrorCode::Cancelled, "Cancelled"},
    {ErrorCode::Internal, "Internal"},
}};

ErrorCode code_of(int error_number) noexcept {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return ErrorCode::DiskFull;
    case ENOENT:
        return ErrorCode::NotFound;
    case EEXIST:
        return ErrorCode::AlreadyExists;
    case EACCES:
    case EPERM:
        return ErrorCode::NotAuthorized;
    default:
        return ErrorCode::Internal;
    }
}

} // namespace

std::string_view to_string(ErrorCode code) noexcept {
    for (const auto &[kind, name] : kinds) {
        if (kind == code) {
            return name;
        }
    }
    return "Internal";
}

ErrorCode error_code_from(std::string_view kind) noexcept {
    for (const auto &[code, name] : kinds) {
        if (name == kind) {
            return code;
        }
    }
    return ErrorCode::Internal;
}

Error Error::with_context(std::string_view context) const {
    return {code_, fmt::format("{}: {}", context, what())};
}

void throw_errno(std::string_view what) {
    throw_errno(what, errno);
}

void throw_errno(std::string_view what, int error_number) {
    throw Error(code_of(error_number),
                fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

} // namespace banger
