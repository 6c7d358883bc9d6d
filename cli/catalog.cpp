#include "cli/catalog.hpp"

#include "cli/errors.hpp"
#include "cli/jobs.hpp"

namespace banger::cli {
namespace {

const sdbus::ObjectPath manager{names::manager_path};

} // namespace

void refresh_catalog(Client &client) {
    Jobs jobs(client);
    try {
        const auto job =
            client.call<sdbus::ObjectPath>(manager, names::manager, "RefreshCatalog", Properties{});
        jobs.finish(job, "catalog", OnInterrupt::Cancel);
    } catch (const Error &error) {
        print_warning(error.what());
    }
}

void warn_of_catalog_problems(Client &client) {
    for (const auto &problem : property<std::vector<std::string>>(
             client.all_properties(manager, names::manager), "CatalogProblems")) {
        print_warning(problem);
    }
}

} // namespace banger::cli
