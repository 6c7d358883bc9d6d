#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>
#include <string>

namespace banger::image {

struct CatalogFetch {
    std::string url;
    std::filesystem::path output; ///< catalog::cached_file()
};

/// Replaces the copy of a catalog where the server has another one, which must be sound. Beside it,
/// as `output`.http, is kept what the server said of it. Result: {"changed": bool}. Throws Error;
/// then the copy is as it was.
void fetch_catalog(const CatalogFetch &fetch, Report &report);

} // namespace banger::image
