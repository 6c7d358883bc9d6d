#include "base/paths.hpp"

#include "base/error.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace banger {
namespace {

std::filesystem::path from_environment(const char *variable, std::filesystem::path fallback) {
    const char *value = ::secure_getenv(variable);
    return value != nullptr && *value == '/' ? std::filesystem::path{value} : std::move(fallback);
}

} // namespace

std::filesystem::path home_directory() {
    const passwd *entry = ::getpwuid(::getuid());
    const std::filesystem::path fallback = entry != nullptr ? entry->pw_dir : "/";
    return from_environment("HOME", fallback);
}

Paths Paths::for_this_user() {
    const std::filesystem::path home = home_directory();
    const std::filesystem::path runtime = from_environment("XDG_RUNTIME_DIR", {});
    if (runtime.empty()) {
        fail(ErrorCode::InvalidState,
             "XDG_RUNTIME_DIR is not set: banger needs a systemd user session; log in through "
             "systemd-logind, or run 'loginctl enable-linger' once");
    }
    return {
        .config = from_environment("XDG_CONFIG_HOME", home / ".config") / "banger",
        .state = from_environment("XDG_STATE_HOME", home / ".local/state") / "banger",
        .cache = from_environment("XDG_CACHE_HOME", home / ".cache") / "banger",
        .runtime = runtime / "banger",
    };
}

} // namespace banger
