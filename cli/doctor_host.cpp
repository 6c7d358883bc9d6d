#include "cli/doctor_host.hpp"

#include "base/byte_size.hpp"
#include "base/files.hpp"
#include "base/group_database.hpp"
#include "base/paths.hpp"
#include "base/process.hpp"
#include "cli/format.hpp"
#include "cli/lingering.hpp"
#include "cli/sizing.hpp"
#include "cli/ssh.hpp"
#include "cli/ssh_config_file.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace banger::cli {
namespace {

namespace fs = std::filesystem;

DoctorRow architecture() {
    utsname name{};
    ::uname(&name);
    const std::string machine = name.machine;
    if (machine == "x86_64") {
        return {"architecture", Verdict::Pass, machine, ""};
    }
    return {"architecture", Verdict::Fail, machine + " is not supported",
            "use an x86-64 (amd64) machine"};
}

DoctorRow kvm() {
    constexpr const char *device = "/dev/kvm";
    const UniqueFd fd{::open(device, O_RDWR | O_CLOEXEC)};
    if (fd) {
        std::error_code error;
        for (const char *module : {"kvm_intel", "kvm_amd"}) {
            if (fs::exists(fs::path("/sys/module") / module, error)) {
                return {"KVM", Verdict::Pass, fmt::format("{} opens, {} is loaded", device, module),
                        ""};
            }
        }
        return {"KVM", Verdict::Warn,
                "/dev/kvm opens, but neither kvm_intel nor kvm_amd is loaded: guests are emulated "
                "in software",
                "switch on virtualization in the firmware, or nested virtualization in the host"};
    }
    if (errno == EACCES || errno == EPERM) {
        const std::string anew =
            fmt::format("log out of all sessions and in again, or 'sudo systemctl restart "
                        "user@{}.service'",
                        ::getuid());
        if (is_in_group(user_name(), "kvm")) {
            return {"KVM", Verdict::Fail,
                    "you are in the group kvm, but your user manager was started before that",
                    anew};
        }
        return {"KVM", Verdict::Fail, "you may not open /dev/kvm",
                fmt::format("sudo usermod -aG kvm {}, then {}", user_name(), anew)};
    }
    return {"KVM", Verdict::Warn, "there is no /dev/kvm: guests are emulated in software",
            "switch on virtualization in the firmware (VT-x, AMD-V)"};
}

DoctorRows configuration() {
    DoctorRows rows;
    const Paths paths = Paths::for_this_user();
    try {
        const auto config = load_config();
        rows.push_back({"configuration", Verdict::Pass, paths.config_file().native(), ""});
        const auto &vm = config.vm_defaults;
        rows.push_back(
            {"vm defaults", Verdict::Pass,
             fmt::format("{} vCPU ({}), {} memory ({}), {} disk ({}), NAT {} ({})", vm.vcpu.value,
                         to_string(vm.vcpu.origin), format_byte_size(vm.memory_mib.value * MiB),
                         to_string(vm.memory_mib.origin), format_byte_size(vm.disk_bytes.value),
                         to_string(vm.disk_bytes.origin), vm.nat.value ? "on" : "off",
                         to_string(vm.nat.origin)),
             ""});
        rows.push_back({"default image", Verdict::Pass,
                        fmt::format("{} ({})", config.default_image_name.value,
                                    to_string(config.default_image_name.origin)),
                        ""});
    } catch (const Error &e) {
        rows.push_back({"configuration", Verdict::Fail, e.what(), "mend the file named there"});
    }
    return rows;
}

DoctorRow program(const char *row, const char *name, const char *flag, const char *package) {
    Command command;
    command.argv = {name, flag};
    try {
        // ssh tells its version on standard error; that it runs is enough.
        const std::string output = run_and_read(command);
        return {row, Verdict::Pass, output.empty() ? "there" : output.substr(0, output.find('\n')),
                ""};
    } catch (const Error &e) {
        return {row, Verdict::Fail, e.what(), fmt::format("sudo apt install {}", package)};
    }
}

DoctorRow disk_space() {
    constexpr std::uint64_t enough = 4 * GiB;
    fs::path path = Paths::for_this_user().state;
    std::error_code error;
    while (!fs::exists(path, error) && path.has_relative_path()) {
        path = path.parent_path();
    }
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) {
        return {"disk space", Verdict::Warn, fmt::format("{} cannot be examined", path.native()),
                "see df"};
    }
    const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
    const std::string detail =
        fmt::format("{} free below {}", format_byte_size(free), path.native());
    return free >= enough
               ? DoctorRow{"disk space", Verdict::Pass, detail, ""}
               : DoctorRow{"disk space", Verdict::Warn, detail,
                           "an image and a VM's disk need some GiB: delete VMs or images"};
}

DoctorRow lingering() {
    return is_lingering()
               ? DoctorRow{"lingering", Verdict::Pass, "VMs outlive your last session", ""}
               : DoctorRow{"lingering", Verdict::Pass,
                           "off: VMs end with your last session (`vm run -d` switches it on)", ""};
}

DoctorRow ssh_shortcut() {
    const fs::path config = home_directory() / ".ssh" / "config";
    try {
        if (has_include(read_file(config))) {
            return {"ssh shortcut", Verdict::Pass, "`ssh NAME.vm` uses banger's keys", ""};
        }
    } catch (const Error &) {
        // No such file: no shortcut either.
    }
    return {"ssh shortcut", Verdict::Pass,
            "off; `banger ssh-config --install` makes `ssh NAME.vm` work", ""};
}

} // namespace

DoctorRows examine_host() {
    DoctorRows rows{architecture(), kvm()};
    DoctorRows of_config = configuration();
    rows.insert(rows.end(), of_config.begin(), of_config.end());
    rows.push_back(program("ssh client", "ssh", "-V", "openssh-client"));
    rows.push_back(program("git", "git", "--version", "git"));
    rows.push_back(disk_space());
    rows.push_back(lingering());
    rows.push_back(ssh_shortcut());
    return rows;
}

} // namespace banger::cli
