#include "daemon/image/run_config_json.hpp"

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

} // namespace banger::image
