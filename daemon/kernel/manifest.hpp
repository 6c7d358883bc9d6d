#pragma once

#include "daemon/kernel/registry.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace banger::kernel {

/// manifest.json of a kernel, format 1.
std::string to_json(const Kernel &kernel);
/// `directory` is where it was found. Throws Error{ImageCorrupt} that names what is wrong.
Kernel kernel_from_json(std::string_view text, const std::filesystem::path &directory);

/// Takes what banger-image-worker has found out about the kernel's files; manifest.json has the
/// same keys. Throws nlohmann::json::exception where one is missing.
void take_findings(Kernel &kernel, const nlohmann::json &findings);

} // namespace banger::kernel
