#include "base/paths.hpp"
#include "cli/sizing.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

int show(bool as_json) {
    const auto rows = config::rows(load_config());
    if (as_json) {
        auto json = nlohmann::ordered_json::array();
        for (const config::Row &row : rows) {
            json.push_back({{"key", row.key},
                            {"value", row.value},
                            {"origin", std::string(config::to_string(row.origin))}});
        }
        fmt::print("{}\n", json.dump(2));
        return 0;
    }
    Table table({"KEY", "VALUE", "ORIGIN"});
    for (const config::Row &row : rows) {
        table.add({row.key, row.value, std::string(config::to_string(row.origin))});
    }
    fmt::print("# {}\n{}", Paths::for_this_user().config_file().native(), table.text());
    return 0;
}

} // namespace

void add_config(CLI::App &root, Context &context) {
    CLI::App *config = root.add_subcommand("config", "Show the configuration");
    config->require_subcommand(1);
    const auto json = std::make_shared<bool>(false);
    CLI::App *verb = config->add_subcommand("show", "Show every value and where it comes from");
    verb->add_flag("--json", *json, "Print as JSON");
    verb->callback([json, &context] { context.action = [json] { return show(*json); }; });
}

} // namespace banger::cli
