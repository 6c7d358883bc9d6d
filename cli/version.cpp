#include "cli/client.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {

void add_version(CLI::App &root, Context &context) {
    const auto json = std::make_shared<bool>(false);
    CLI::App *verb =
        root.add_subcommand("version", "Print the version of banger, and of a running bangerd");
    verb->add_flag("--json", *json, "Print as JSON");
    verb->callback([json, &context] {
        context.action = [json] {
            std::string daemon;
            try {
                Client client;
                if (client.daemon_running()) {
                    daemon = property<std::string>(
                        client.all_properties(sdbus::ObjectPath{names::manager_path},
                                              names::manager),
                        "Version");
                }
            } catch (const Error &) {
                // No bus, no daemon: our own version holds all the same.
            }
            if (*json) {
                nlohmann::ordered_json versions{{"banger", BANGER_VERSION}, {"bangerd", nullptr}};
                if (!daemon.empty()) {
                    versions["bangerd"] = daemon;
                }
                fmt::print("{}\n", versions.dump(2));
            } else {
                fmt::print("banger {}\n", BANGER_VERSION);
                if (!daemon.empty()) {
                    fmt::print("bangerd {}\n", daemon);
                }
            }
            return 0;
        };
    });
}

} // namespace banger::cli
