#include "daemon/image/run_config_json.hpp"

#include "base/sha256.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {

nlohmann::json to_json(const RunConfig &run) {
    return {{"env", run.environment},
            {"cwd", run.working_directory},
            {"user", run.user},
            {"entrypoint", run.entrypoint},
            {"cmd", run.command}};
}

RunConfig run_config_from(const nlohmann::json &json) {
    RunConfig run;
    run.environment = json.at("env");
    run.working_directory = json.at("cwd");
    run.user = json.at("user");
    run.entrypoint = json.at("entrypoint");
    run.command = json.at("cmd");
    return run;
}

std::string image_digest(const std::string &rootfs_sha256, const RunConfig &run) {
    const bool says_nothing = run.environment.empty() && run.working_directory.empty() &&
                              run.user.empty() && run.entrypoint.empty() && run.command.empty();
    return says_nothing ? rootfs_sha256 : sha256_of(rootfs_sha256 + "\n" + to_json(run).dump());
}

} // namespace banger::image
