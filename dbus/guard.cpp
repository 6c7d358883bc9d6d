#include "dbus/guard.hpp"

#include <array>
#include <string_view>

namespace banger::bus {
namespace {

constexpr std::string_view prefix = "org.banger.Error.";

constexpr std::array<std::pair<std::string_view, ErrorCode>, 12> foreign{{
    {"org.freedesktop.DBus.Error.AccessDenied", ErrorCode::NotAuthorized},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ErrorCode::NotAuthorized},
    {"org.freedesktop.DBus.Error.InvalidArgs", ErrorCode::InvalidArgument},
    {"org.freedesktop.DBus.Error.UnknownObject", ErrorCode::NotFound},
    {"org.freedesktop.DBus.Error.UnknownMethod", ErrorCode::Unsupported},
    {"org.freedesktop.DBus.Error.UnknownInterface", ErrorCode::Unsupported},
    {"org.freedesktop.DBus.Error.ServiceUnknown", ErrorCode::NotFound},
    {"org.freedesktop.DBus.Error.NameHasNoOwner", ErrorCode::NotFound},
    {"org.freedesktop.DBus.Error.NoReply", ErrorCode::GuestTimeout},
    {"org.freedesktop.DBus.Error.Timeout", ErrorCode::GuestTimeout},
    {"org.freedesktop.systemd1.NoSuchUnit", ErrorCode::NotFound},
    {"org.freedesktop.DBus.Error.LimitsExceeded", ErrorCode::LimitsExceeded},
}};

} // namespace

std::string error_name(ErrorCode code) {
    return fmt::format("{}{}", prefix, to_string(code));
}

sdbus::Error to_bus_error(const Error &error) {
    return make_error(error_name(error.code()), error.what());
}

Error from_bus_error(const std::string &name, const std::string &message) {
    if (name.starts_with(prefix)) {
        return {error_code_from(std::string_view{name}.substr(prefix.size())), message};
    }
    for (const auto &[known, code] : foreign) {
        if (known == name) {
            return {code, message};
        }
    }
    return {ErrorCode::Internal, fmt::format("{} ({})", message, name)};
}

sdbus::Error current_exception_as_bus_error() {
    try {
        throw;
    } catch (const sdbus::Error &e) {
        return e;
    } catch (const Error &e) {
        return to_bus_error(e);
    } catch (const std::exception &e) {
        return to_bus_error(Error(ErrorCode::Internal, e.what()));
    } catch (...) {
        return to_bus_error(Error(ErrorCode::Internal, "an unknown exception"));
    }
}

} // namespace banger::bus
