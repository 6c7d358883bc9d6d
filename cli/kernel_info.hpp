#pragma once

#include "cli/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace banger::cli {

/// What org.banger.Kernel tells of one kernel.
struct KernelInfo {
    std::string name;
    std::string release;
    std::string package_version;
    std::string distro;
    std::string suite;
    std::string source;
    std::string digest;
    std::uint64_t size_bytes = 0;
    std::uint64_t created_at_usec = 0;
    bool has_modules = false;
    bool has_initrd = false;
    std::vector<std::string> missing;
    bool features_known = false;
    std::vector<std::string> used_by;
};

KernelInfo kernel_info(const Properties &properties);
nlohmann::ordered_json to_json(const KernelInfo &kernel);

/// All kernels, sorted by name, by one call.
std::vector<KernelInfo> list_kernels(Client &client);
/// Also by what means the newest of a suite. Throws Error{NotFound}.
KernelInfo find_kernel(Client &client, const std::string &name);

/// What its user should know before a VM runs with it; empty where nothing is wrong.
std::string shortcomings(const KernelInfo &kernel);

} // namespace banger::cli
