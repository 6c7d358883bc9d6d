#include "cli/artifact_verbs.hpp"

#include "cli/format.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace banger::cli {
namespace {

nlohmann::ordered_json to_json(const Artifact &artifact) {
    return {{"name", artifact.name},
            {"digest", artifact.digest},
            {"source", artifact.source},
            {"size_bytes", artifact.size_bytes},
            {"created_at", format_iso_time(artifact.created_at_usec)}};
}

} // namespace

int make_artifact(const char *method, const std::string &name, const Properties &options,
                  const std::string &title) {
    Client client;
    Jobs jobs(client);
    const auto job = client.call<sdbus::ObjectPath>(sdbus::ObjectPath{names::manager_path},
                                                    names::manager, method, name, options);
    fmt::print("{}\n", jobs.finish(job, title, OnInterrupt::Cancel));
    return 0;
}

void add_list_flags(CLI::App &verb, const std::shared_ptr<ListFlags> &flags) {
    verb.add_flag("-q,--quiet", flags->quiet, "Print names alone");
    verb.add_flag("--json", flags->json, "Print as JSON");
}

int print_artifacts(const ListFlags &flags, const char *interface,
                    void (*print)(const std::vector<Artifact> &)) {
    Client client;
    const auto artifacts = list_artifacts(client.objects(), interface);
    if (flags.json) {
        auto json = nlohmann::ordered_json::array();
        for (const Artifact &artifact : artifacts) {
            json.push_back(to_json(artifact));
        }
        fmt::print("{}\n", json.dump(2));
    } else if (flags.quiet) {
        for (const Artifact &artifact : artifacts) {
            fmt::print("{}\n", artifact.name);
        }
    } else {
        print(artifacts);
    }
    return 0;
}

void add_artifact_list(CLI::App &parent, const char *description, const char *interface,
                       void (*print)(const std::vector<Artifact> &), Context &context) {
    const auto flags = std::make_shared<ListFlags>();
    CLI::App *verb = parent.add_subcommand("list", description)->alias("ls");
    add_list_flags(*verb, flags);
    verb->callback([flags, interface, print, &context] {
        context.action = [flags, interface, print] {
            return print_artifacts(*flags, interface, print);
        };
    });
}

void add_artifact_delete(CLI::App &parent, const char *verb_name, const char *description,
                         const char *type_name, const char *method, Context &context) {
    const auto given = std::make_shared<std::vector<std::string>>();
    CLI::App *verb = parent.add_subcommand(verb_name, description);
    verb->alias(std::string_view{verb_name} == "rm" ? "delete" : "rm");
    verb->add_option("NAME", *given, "Names")->type_name(type_name)->required();
    verb->callback([given, method, &context] {
        context.action = [given, method] {
            Client client;
            int status = 0;
            std::set<std::string> seen;
            for (const std::string &name : *given) {
                if (!seen.insert(name).second) {
                    continue;
                }
                try {
                    client.call<>(sdbus::ObjectPath{names::manager_path}, names::manager, method,
                                  name);
                    fmt::print("{}: deleted\n", name);
                } catch (const Error &e) {
                    print_error(e.what());
                    status = exit_status::failure;
                }
            }
            return status;
        };
    });
}

} // namespace banger::cli
