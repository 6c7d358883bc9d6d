#pragma once

#include "cli/client.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace banger::cli {

/// What org.banger.VM tells of one VM. `state` is an open set: show one that is not known as it is.
struct VmInfo {
    sdbus::ObjectPath path;
    std::string name;
    std::string state;
    bool login_ready = false;
    bool boot_finished = false;
    std::string boot_status;
    std::string image;
    std::string image_digest;
    std::string kernel;
    std::string ip_address;
    std::string host_name;
    std::uint32_t vcpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t overlay_bytes = 0;
    bool nat = false;
    bool allow_host = false;
    std::string unit;
    std::string vmm;
    std::string vmm_reason;
    std::string workspace;
    std::uint64_t created_at_usec = 0;
    std::uint64_t started_at_usec = 0;
    std::string error_kind;
    std::string error_message;
    std::vector<std::pair<std::string, std::uint64_t>> boot_timings; ///< stage, microseconds
};

VmInfo vm_info(const sdbus::ObjectPath &path, const Properties &properties);
nlohmann::ordered_json to_json(const VmInfo &vm);

/// All VMs, sorted by name, by one call.
std::vector<VmInfo> list_vms(Client &client);

/// The one whose name it is, or else the only one whose name begins so. Throws Error{NotFound} that
/// says how to list VMs, or Error{InvalidArgument} that names the candidates.
const VmInfo &select_vm(const std::vector<VmInfo> &vms, const std::string &name);

/// The same with a listing of its own.
VmInfo find_vm(Client &client, const std::string &name);

} // namespace banger::cli
