#include "agent/init/apparmor.hpp"

#include "agent/init/console.hpp"
#include "agent/init/guest_files.hpp"
#include "agent/init/mounts.hpp"
#include "base/error.hpp"

#include <sys/mount.h>
#include <unistd.h>

namespace banger::init {

void hide_apparmor_without_its_parser() {
    constexpr const char *enabled = "/sys/module/apparmor/parameters/enabled";
    if (::access("/sbin/apparmor_parser", X_OK) == 0 ||
        ::access("/usr/sbin/apparmor_parser", X_OK) == 0 || ::access(enabled, F_OK) != 0) {
        return;
    }
    try {
        mount_at(apparmor_disabled_in_guest, enabled, "none", MS_BIND);
    } catch (const Error &error) {
        warn(error.what());
    }
}

} // namespace banger::init
