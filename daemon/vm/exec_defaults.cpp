#include "daemon/vm/exec_defaults.hpp"

namespace banger::vm {

void apply_image_defaults(ExecRequest &request, const image::RunConfig &image) {
    if (request.entrypoint) {
        if (request.argv.empty()) {
            request.argv = image.command;
        }
        request.argv.insert(request.argv.begin(), image.entrypoint.begin(), image.entrypoint.end());
    }
    // The agent takes the last of two values.
    request.env.insert(request.env.begin(), image.environment.begin(), image.environment.end());
    if (request.cwd.empty()) {
        request.cwd = image.working_directory;
    }
    if (request.user.empty()) {
        request.user = image.user;
    }
}

} // namespace banger::vm
