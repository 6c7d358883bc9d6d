#pragma once

#include "cli/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace banger::cli {

/// What `kernel pull` takes.
struct AvailableKernel {
    std::string name;
    std::string package_version; ///< empty: whichever is the newest
    std::string suite;
    bool installed = false;
};

nlohmann::ordered_json to_json(const AvailableKernel &kernel);

/// As far as bangerd knows; UpdateKernelList makes it ask the archive.
std::vector<AvailableKernel> list_available_kernels(Client &client);

} // namespace banger::cli
