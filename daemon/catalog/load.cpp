#include "daemon/catalog/load.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/catalog/built_in.hpp"
#include "daemon/catalog/parse.hpp"

#include <algorithm>

namespace banger::catalog {
namespace {

namespace fs = std::filesystem;

void add_file(Catalog &catalog, const fs::path &file, const std::string &origin) {
    try {
        catalog.add(parse(banger::read_file(file, max_file_bytes), origin));
    } catch (const Error &error) {
        catalog.add_problem(error.what());
    }
}

void add_directory(Catalog &catalog, const fs::path &directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator i{directory, error}, end; !error && i != end; i.increment(error)) {
        if (i->path().extension() == ".json") {
            files.push_back(i->path());
        }
    }
    if (error) {
        catalog.add_problem(fmt::format("cannot read {}: {}", directory.string(), error.message()));
    }
    std::sort(files.begin(), files.end());
    for (const fs::path &file : files) {
        add_file(catalog, file, file.string());
    }
}

bool is_there_as_directory(const fs::path &path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

} // namespace

fs::path cached_file(const fs::path &cache, std::string_view url) {
    return cache / (sha256_of(url) + ".json");
}

Catalog load(const std::vector<config::Catalog> &configured, const Places &places) {
    Catalog catalog;
    for (const config::Catalog &one : configured) {
        std::error_code ignored;
        if (!one.url.empty()) {
            const fs::path cached = cached_file(places.cache, one.url);
            if (fs::exists(cached, ignored)) {
                add_file(catalog, cached, one.url);
            }
        } else if (is_there_as_directory(one.path)) {
            add_directory(catalog, one.path);
        } else {
            add_file(catalog, one.path, one.path.string());
        }
    }
    if (is_there_as_directory(places.system)) {
        add_directory(catalog, places.system);
    }
    catalog.add(parse(built_in(), "built in"));
    return catalog;
}

} // namespace banger::catalog
