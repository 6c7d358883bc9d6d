#include "cli/lingering.hpp"

#include "cli/errors.hpp"

#include <pwd.h>
#include <unistd.h>

#include <filesystem>

namespace banger::cli {

std::string user_name() {
    const passwd *entry = ::getpwuid(::getuid());
    return entry != nullptr ? entry->pw_name : fmt::format("{}", ::getuid());
}

bool is_lingering() {
    std::error_code error;
    return std::filesystem::exists("/var/lib/systemd/linger/" + user_name(), error);
}

void enable_lingering() {
    remote([] {
        const auto connection = sdbus::createSystemBusConnection();
        const auto login =
            sdbus::createProxy(*connection, bus::ServiceName{"org.freedesktop.login1"},
                               sdbus::ObjectPath{"/org/freedesktop/login1"});
        login->callMethod("SetUserLinger")
            .onInterface("org.freedesktop.login1.Manager")
            .withArguments(static_cast<std::uint32_t>(::getuid()), true, false);
    });
}

} // namespace banger::cli
