#include "base/byte_size.hpp"
#include "cli/detail_row.hpp"
#include "cli/format.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

namespace banger::cli {
namespace {

std::string with_reason(const std::string &value, const std::string &reason) {
    return reason.empty() ? value : fmt::format("{} ({})", value, reason);
}

std::string readiness(const VmInfo &vm) {
    if (vm.state != "running") {
        return {};
    }
    if (vm.boot_finished) {
        return vm.login_ready ? "boot finished, login possible" : "boot finished, no sshd";
    }
    return with_reason(vm.login_ready ? "login possible, still booting" : "booting",
                       vm.boot_status);
}

void print_vm(const VmInfo &vm) {
    const std::uint64_t now = now_usec();
    print_detail("Name", vm.name);
    print_detail("State", vm.state);
    print_detail("Ready", readiness(vm));
    print_detail("Error", vm.error_message);
    print_detail("Image", with_reason(vm.image, vm.image_digest));
    print_detail("Kernel", vm.kernel);
    print_detail("Host name", vm.host_name);
    print_detail("Address", vm.ip_address);
    print_detail("VCPUs", fmt::format("{}", vm.vcpus));
    print_detail("Memory", format_byte_size(vm.memory_mib * MiB));
    print_detail("Disk", format_byte_size(vm.disk_bytes));
    print_detail("Overlay", format_byte_size(vm.overlay_bytes));
    print_detail("NAT", vm.nat ? "yes" : "no");
    print_detail("Reach host", vm.allow_host ? "yes" : "DNS and ping only");
    print_detail("VMM", with_reason(vm.vmm, vm.vmm_reason));
    print_detail("Unit", vm.unit);
    print_detail("Workspace", vm.workspace);
    print_detail("Created", format_since(vm.created_at_usec, now));
    print_detail("Started", format_since(vm.started_at_usec, now));
    for (const auto &[stage, usec] : vm.boot_timings) {
        print_detail(
            stage == vm.boot_timings.front().first ? "Boot" : "",
            fmt::format("{} after {}", stage, format_duration(std::chrono::microseconds{usec})));
    }
}

} // namespace

void add_vm_show(CLI::App &vm, Context &context) {
    struct Flags {
        std::string name;
        bool json = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = vm.add_subcommand("show", "Show one VM in detail");
    verb->add_option("VM", flags->name, "Its name")->type_name(kind::vm)->required();
    verb->add_flag("--json", flags->json, "Print as JSON");
    verb->callback([flags, &context] {
        context.action = [flags] {
            Client client;
            const VmInfo found = find_vm(client, flags->name);
            if (flags->json) {
                fmt::print("{}\n", to_json(found).dump(2));
            } else {
                print_vm(found);
            }
            return 0;
        };
    });
}

} // namespace banger::cli
