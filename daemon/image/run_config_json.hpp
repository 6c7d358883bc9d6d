#pragma once

#include "daemon/image/run_config.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace banger::image {

/// As a worker tells it, and as it stands in an image's manifest.json.
nlohmann::json to_json(const RunConfig &run);
/// Throws nlohmann::json::exception.
RunConfig run_config_from(const nlohmann::json &json);

/// The digest of an image: that of its file system, and of `run` where that says anything.
std::string image_digest(const std::string &rootfs_sha256, const RunConfig &run);

} // namespace banger::image
