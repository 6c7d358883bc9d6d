#pragma once

#include "cli/artifacts.hpp"
#include "cli/verbs.hpp"

#include <memory>
#include <string>
#include <vector>

namespace banger::cli {

/// Calls a method of the manager that takes a name and options and returns a job, waits with
/// progress, and prints the name of what was made. Ctrl-C cancels it.
int make_artifact(const char *method, const std::string &name, const Properties &options,
                  const std::string &title);

/// How a list is printed.
struct ListFlags {
    bool json = false;
    bool quiet = false; ///< names alone
};

/// Adds --json and -q.
void add_list_flags(CLI::App &verb, const std::shared_ptr<ListFlags> &flags);

/// Prints what is there of the interface's kind.
int print_artifacts(const ListFlags &flags, const char *interface,
                    void (*print)(const std::vector<Artifact> &));

/// `list`, with --json and -q.
void add_artifact_list(CLI::App &parent, const char *description, const char *interface,
                       void (*print)(const std::vector<Artifact> &), Context &context);

/// `delete` or `rm`, with several names; one that fails stops no other.
void add_artifact_delete(CLI::App &parent, const char *verb_name, const char *description,
                         const char *type_name, const char *method, Context &context);

} // namespace banger::cli
