#pragma once

#include "daemon/image/run_config.hpp"

#include <nlohmann/json_fwd.hpp>

namespace banger::image {

/// As a worker tells it, and as it stands in an image's manifest.json.
nlohmann::json to_json(const RunConfig &run);
/// Throws nlohmann::json::exception.
RunConfig run_config_from(const nlohmann::json &json);

} // namespace banger::image
