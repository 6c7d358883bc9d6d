#include "daemon/vmm/confinement.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace banger::vmm {
namespace {

namespace fs = std::filesystem;

constexpr int status_descriptor_in_child = 4;

Command base_command(const Launch &launch, std::optional<int> tap) {
    Command command;
    command.die_with_parent = true;
    if (tap && launch.tap_by_descriptor) {
        command.descriptors.emplace_back(*tap, tap_descriptor);
    }
    return command;
}

} // namespace

Command confined_command(const Launch &launch, const fs::path &directory,
                         const Confinement &confinement, std::optional<int> tap) {
    Command command = base_command(launch, tap);
    std::vector<std::string> &argv = command.argv;
    const auto add = [&](std::initializer_list<std::string> more) {
        argv.insert(argv.end(), more);
    };
    add({confinement.bubblewrap.string()});
    if (confinement.status_descriptor) {
        command.descriptors.emplace_back(*confinement.status_descriptor,
                                         status_descriptor_in_child);
        add({"--json-status-fd", std::to_string(status_descriptor_in_child)});
    }
    add({"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"});
    add({"--unshare-cgroup-try"});
    const bool tap_by_name =
        !launch.tap_by_descriptor && std::find(launch.devices.begin(), launch.devices.end(),
                                               fs::path("/dev/net/tun")) != launch.devices.end();
    if (!tap_by_name) {
        add({"--unshare-net"});
    }
    add({"--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"});
    add({"--ro-bind", "/usr", "/usr"});
    for (const char *folder : {"lib", "lib64", "lib32", "bin", "sbin"}) {
        // Debian since 12 has links into /usr here; elsewhere they may be folders.
        add({"--symlink", fmt::format("usr/{}", folder), fmt::format("/{}", folder)});
    }
    add({"--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"});
    add({"--ro-bind-try", "/etc/alternatives", "/etc/alternatives"});
    add({"--dev", "/dev"});
    for (const fs::path &device : launch.devices) {
        add({"--dev-bind", device.string(), device.string()});
    }
    add({"--bind", directory.string(), "/vm"});
    for (const NamedFile &file : launch.files) {
        add({file.read_only ? "--ro-bind" : "--bind", file.source.string(), "/vm/" + file.name});
    }
    // A binary outside of /usr is the only file of its folder that is seen.
    const bool in_usr = launch.binary.string().rfind("/usr/", 0) == 0;
    if (!in_usr) {
        add({"--ro-bind", launch.binary.string(), launch.binary.string()});
    }
    add({"--remount-ro", "/", "--chdir", "/vm", "--", launch.binary.string()});
    argv.insert(argv.end(), launch.arguments.begin(), launch.arguments.end());
    return command;
}

Command unconfined_command(const Launch &launch, const fs::path &directory,
                           std::optional<int> tap) {
    Command command = base_command(launch, tap);
    command.working_directory = directory.string();
    command.argv = {launch.binary.string()};
    command.argv.insert(command.argv.end(), launch.arguments.begin(), launch.arguments.end());
    return command;
}

} // namespace banger::vmm
