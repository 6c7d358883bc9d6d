#pragma once

#include "cli/client.hpp"

namespace banger::cli {

/// Has bangerd fetch the catalogs that the configuration names by URL. What cannot be fetched, and
/// what of the catalog cannot be used, is a warning: the rest can be shown all the same.
void refresh_catalog(Client &client);
void warn_of_catalog_problems(Client &client);

} // namespace banger::cli
