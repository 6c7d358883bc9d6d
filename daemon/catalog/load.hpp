#pragma once

#include "daemon/catalog/catalog.hpp"
#include "daemon/config/config.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace banger::catalog {

/// Where the catalog's files are, beside those that the configuration names.
struct Places {
    std::filesystem::path system = "/etc/banger/catalog.d"; ///< the administrator's *.json
    std::filesystem::path cache;                            ///< Paths::catalogs()
};

/// Where a catalog of that URL is kept, once it was fetched.
std::filesystem::path cached_file(const std::filesystem::path &cache, std::string_view url);

/// All that there is: what the configuration names, in its order, then the administrator's files by
/// name, then what is built in. A path may be a file or a directory of *.json; of a URL that was
/// not fetched yet there is nothing. A file that cannot be used becomes a problem of the catalog.
Catalog load(const std::vector<config::Catalog> &configured, const Places &places);

} // namespace banger::catalog
