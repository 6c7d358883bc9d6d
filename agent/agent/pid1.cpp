#include "agent/agent/pid1.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

namespace banger::agent {

void mount_api_file_systems() noexcept {
    constexpr unsigned long flags = MS_NOSUID | MS_NODEV;
    ::mkdir("/run", 0755);
    ::mount("tmpfs", "/run", "tmpfs", flags, "mode=0755");
    ::mkdir("/run/lock", 01777);
    ::mkdir("/dev/shm", 01777);
    ::mount("tmpfs", "/dev/shm", "tmpfs", flags, "mode=1777");
    ::mkdir("/tmp", 01777);
    ::mount("tmpfs", "/tmp", "tmpfs", flags, "mode=1777");
}

} // namespace banger::agent
