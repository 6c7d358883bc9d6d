#include "daemon/supervisor/post_stop.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/supervisor/tap.hpp"
#include "daemon/supervisor/vmm_process.hpp"
#include "daemon/vmm/machine.hpp"

namespace banger::supervisor {

namespace fs = std::filesystem;

void release_machine(const fs::path &runtime_directory) noexcept {
    try {
        const fs::path description = runtime_directory / "machine.json";
        if (!fs::exists(description)) {
            return;
        }
        const vmm::Machine machine = vmm::machine_from_json(read_file(description));
        if (machine.nic) {
            release_tap(machine.nic->tap);
        }
        fs::remove(description);
    } catch (const std::exception &e) {
        log::warning(fmt::format("{}; bangerd takes the tap away when it starts next", e.what()));
    }
}

void clean_up_after(const Paths &paths, const VmName &name, const ServiceResult &result) {
    if (const auto record = classify(result)) {
        store(*record, paths.vm_state(name));
    }
    const fs::path directory = paths.vm_runtime(name);
    release_machine(directory);
    std::error_code ignored;
    fs::remove_all(vmm_directory(directory), ignored);
    fs::remove(directory / "supervisor.sock", ignored);
}

} // namespace banger::supervisor
