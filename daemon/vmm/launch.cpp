#include "daemon/vmm/launch.hpp"

#include "daemon/vmm/firecracker.hpp"
#include "daemon/vmm/qemu.hpp"

namespace banger::vmm {

Launch plan_launch(const Machine &machine, std::uint32_t tsc_khz) {
    return machine.kind == Kind::Firecracker ? firecracker_launch(machine)
                                             : qemu_launch(machine, tsc_khz);
}

std::vector<NamedFile> files_of(const Machine &machine) {
    std::vector<NamedFile> files{
        {.name = kernel_name, .source = machine.kernel, .read_only = true},
        {.name = initrd_name, .source = machine.initrd, .read_only = true},
    };
    for (const Disk &disk : machine.disks) {
        files.push_back(
            {.name = disk_name(disk), .source = disk.path, .read_only = disk.read_only});
    }
    return files;
}

std::string disk_name(const Disk &disk) {
    return disk.id + ".disk";
}

} // namespace banger::vmm
