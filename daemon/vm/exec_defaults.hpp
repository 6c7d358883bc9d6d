#pragma once

#include "daemon/image/run_config.hpp"
#include "daemon/vm/supervisor_link.hpp"

namespace banger::vm {

/// Fills in what the request leaves open from the image's configuration, as `docker exec` does:
/// variables, directory, user; and as `docker run` does where the request asks for the entrypoint:
/// it goes before argv, and the image's command takes the place of an empty one.
void apply_image_defaults(ExecRequest &request, const image::RunConfig &image);

} // namespace banger::vm
