#include "cli/vm_actions.hpp"

#include "cli/jobs.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace banger::cli {
namespace {

struct Target {
    std::string name;
    sdbus::ObjectPath path;
    std::optional<sdbus::ObjectPath> job;
    std::optional<Error> error;
};

std::vector<Target> resolve(Client &client, const std::vector<std::string> &names) {
    const std::vector<VmInfo> vms = list_vms(client);
    std::vector<Target> targets;
    for (const std::string &name : names) {
        Target target{name, {}, std::nullopt, std::nullopt};
        try {
            const VmInfo &vm = select_vm(vms, name);
            target.name = vm.name;
            target.path = vm.path;
        } catch (const Error &e) {
            target.error = e;
        }
        if (std::none_of(targets.begin(), targets.end(),
                         [&](const Target &earlier) { return earlier.name == target.name; })) {
            targets.push_back(std::move(target));
        }
    }
    return targets;
}

void begin(Client &client, Target &target, const VmAction &action) {
    target.job.reset();
    if (target.error) {
        return;
    }
    try {
        target.job =
            client.call<sdbus::ObjectPath>(target.path, names::vm, action.method, action.options);
    } catch (const Error &e) {
        target.error = e;
    }
}

void report(const Target &target, const char *done) {
    if (target.error) {
        const std::string what = target.error->what();
        const bool named = what.find(target.name) != std::string::npos;
        print_error(named ? what : fmt::format("{}: {}", target.name, what));
    } else {
        fmt::print("{}: {}\n", target.name, done);
        std::fflush(stdout);
    }
}

void report_json(const std::vector<Target> &targets, const char *done) {
    auto results = nlohmann::ordered_json::array();
    for (const Target &target : targets) {
        nlohmann::ordered_json result{
            {"name", target.name}, {"result", target.error ? "failed" : done}, {"error", nullptr}};
        if (target.error) {
            result["error"] = {{"kind", to_string(target.error->code())},
                               {"message", target.error->what()}};
        }
        results.push_back(std::move(result));
    }
    fmt::print("{}\n", results.dump(2));
}

} // namespace

std::shared_ptr<VmNames> add_vm_names(CLI::App &verb) {
    auto names = std::make_shared<VmNames>();
    verb.add_option("VM", names->names, "Names, or unambiguous beginnings of names")
        ->type_name(kind::vm)
        ->required();
    verb.add_flag("--json", names->json, "Print the results as JSON");
    return names;
}

int act_on_vms(const VmNames &names, const std::vector<VmAction> &actions) {
    Client client;
    Jobs jobs(client);
    std::vector<Target> targets = resolve(client, names.names);
    const bool show_progress = targets.size() == 1;
    for (const VmAction &action : actions) {
        const bool last = &action == &actions.back();
        for (Target &target : targets) {
            begin(client, target, action);
        }
        for (Target &target : targets) {
            if (target.job) {
                try {
                    if (show_progress) {
                        jobs.finish(*target.job, target.name, OnInterrupt::Leave);
                    } else {
                        target.error = jobs.outcome(*target.job).error;
                    }
                } catch (const Error &e) {
                    target.error = e;
                }
            }
            if (last && !names.json) {
                report(target, action.done);
            }
        }
    }
    if (names.json) {
        report_json(targets, actions.back().done);
    }
    const bool failed = std::any_of(targets.begin(), targets.end(),
                                    [](const Target &target) { return target.error.has_value(); });
    return failed ? exit_status::failure : 0;
}

} // namespace banger::cli
