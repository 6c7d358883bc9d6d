#include "cli/workspace_listing.hpp"

#include "cli/errors.hpp"
#include "cli/format.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace banger::cli {

void print_listing(const Workspace &workspace, bool json) {
    if (json) {
        nlohmann::ordered_json listing{{"root", quote_path(workspace.root().native())},
                                       {"guest_directory", workspace.guest_directory()},
                                       {"files", nlohmann::ordered_json::array()},
                                       {"untracked_left_out", workspace.untracked_left_out()}};
        for (const std::string &path : workspace.files()) {
            // JSON holds any name but one that is no UTF-8.
            listing["files"].push_back(is_utf8(path) ? path : quote_path(path));
        }
        fmt::print("{}\n", listing.dump(2));
        return;
    }
    for (const std::string &path : workspace.files()) {
        fmt::print("{}\n", quote_path(path));
    }
    print_left_out(workspace);
}

void print_left_out(const Workspace &workspace) {
    if (const std::size_t count = workspace.untracked_left_out(); count > 0) {
        print_notice(fmt::format("{} untracked file{} stay{} here; --include-untracked takes {} "
                                 "along",
                                 count, count == 1 ? "" : "s", count == 1 ? "s" : "",
                                 count == 1 ? "it" : "them"));
    }
    for (const std::string &nested : workspace.nested_repositories()) {
        print_warning(
            fmt::format("{} stays here: it is a repository of its own", quote_path(nested)));
    }
}

} // namespace banger::cli
