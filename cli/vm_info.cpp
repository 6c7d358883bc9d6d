#include "cli/vm_info.hpp"

#include "cli/format.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace banger::cli {

VmInfo vm_info(const sdbus::ObjectPath &path, const Properties &p) {
    VmInfo vm;
    vm.path = path;
    vm.name = property<std::string>(p, "Name");
    vm.state = property<std::string>(p, "State", "unknown");
    vm.login_ready = property<bool>(p, "LoginReady");
    vm.boot_finished = property<bool>(p, "BootFinished");
    vm.boot_status = property<std::string>(p, "BootStatus");
    vm.image = property<std::string>(p, "Image");
    vm.image_digest = property<std::string>(p, "ImageDigest");
    vm.kernel = property<std::string>(p, "Kernel");
    vm.ip_address = property<std::string>(p, "IPAddress");
    vm.host_name = property<std::string>(p, "HostName");
    vm.vcpus = property<std::uint32_t>(p, "VCPUs");
    vm.memory_mib = property<std::uint64_t>(p, "MemoryMiB");
    vm.disk_bytes = property<std::uint64_t>(p, "DiskBytes");
    vm.overlay_bytes = property<std::uint64_t>(p, "OverlayBytes");
    vm.nat = property<bool>(p, "NAT");
    vm.allow_host = property<bool>(p, "AllowHost");
    vm.unit = property<std::string>(p, "Unit");
    vm.vmm = property<std::string>(p, "VMM");
    vm.vmm_reason = property<std::string>(p, "VMMReason");
    vm.workspace = property<std::string>(p, "Workspace");
    vm.created_at_usec = property<std::uint64_t>(p, "CreatedAt");
    vm.started_at_usec = property<std::uint64_t>(p, "StartedAt");
    const auto error = property<sdbus::Struct<std::string, std::string>>(p, "LastError");
    vm.error_kind = std::get<0>(error);
    vm.error_message = std::get<1>(error);
    for (const auto &timing :
         property<std::vector<sdbus::Struct<std::string, std::uint64_t>>>(p, "BootTimings")) {
        vm.boot_timings.emplace_back(std::get<0>(timing), std::get<1>(timing));
    }
    return vm;
}

nlohmann::ordered_json to_json(const VmInfo &vm) {
    const auto text_or_null = [](const std::string &text) {
        return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
    };
    nlohmann::ordered_json json{
        {"name", vm.name},
        {"state", vm.state},
        {"login_ready", vm.login_ready},
        {"boot_finished", vm.boot_finished},
        {"boot_status", vm.boot_status},
        {"image", vm.image},
        {"image_digest", vm.image_digest},
        {"kernel", vm.kernel},
        {"ip_address", text_or_null(vm.ip_address)},
        {"host_name", vm.host_name},
        {"vcpus", vm.vcpus},
        {"memory_mib", vm.memory_mib},
        {"disk_bytes", vm.disk_bytes},
        {"overlay_bytes", vm.overlay_bytes},
        {"nat", vm.nat},
        {"allow_host", vm.allow_host},
        {"unit", vm.unit},
        {"vmm", vm.vmm},
        {"vmm_reason", vm.vmm_reason},
        {"workspace", text_or_null(vm.workspace)},
        {"created_at", text_or_null(format_iso_time(vm.created_at_usec))},
        {"started_at", text_or_null(format_iso_time(vm.started_at_usec))},
        {"last_error", nullptr},
        {"boot_timings", nlohmann::ordered_json::object()},
    };
    if (!vm.error_kind.empty() || !vm.error_message.empty()) {
        json["last_error"] = {{"kind", vm.error_kind}, {"message", vm.error_message}};
    }
    for (const auto &[stage, usec] : vm.boot_timings) {
        json["boot_timings"][stage] = usec;
    }
    return json;
}

std::vector<VmInfo> list_vms(Client &client) {
    std::vector<VmInfo> vms;
    for (const auto &[path, interfaces] : client.objects()) {
        if (const auto found = interfaces.find(names::vm); found != interfaces.end()) {
            vms.push_back(vm_info(path, found->second));
        }
    }
    std::sort(vms.begin(), vms.end(),
              [](const VmInfo &a, const VmInfo &b) { return a.name < b.name; });
    return vms;
}

const VmInfo &select_vm(const std::vector<VmInfo> &vms, const std::string &name) {
    const VmInfo *found = nullptr;
    std::vector<std::string> candidates;
    for (const VmInfo &vm : vms) {
        if (vm.name == name) {
            return vm;
        }
        if (!name.empty() && vm.name.starts_with(name)) {
            found = &vm;
            candidates.push_back(vm.name);
        }
    }
    if (candidates.size() > 1) {
        fail(ErrorCode::InvalidArgument, "'{}' is the beginning of several VMs: {}", name,
             fmt::join(candidates, ", "));
    }
    if (found == nullptr) {
        fail(ErrorCode::NotFound, "there is no VM '{}'; `banger vm list -a` shows those there are",
             name);
    }
    return *found;
}

VmInfo find_vm(Client &client, const std::string &name) {
    return select_vm(list_vms(client), name);
}

} // namespace banger::cli
