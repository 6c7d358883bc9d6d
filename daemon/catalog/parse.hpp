#pragma once

#include "daemon/catalog/catalog.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace banger::catalog {

/// A file of the catalog has no more bytes than this.
constexpr std::size_t max_file_bytes = 1U << 20U;

/// Reads one file of the catalog, format 1 (docs/image-catalog.md). `origin` is the URL or the path
/// that it comes from: a relative URL in it counts from there, and only a path may name files of
/// this host. An unknown key, a wrong type or a bad value is Error{InvalidArgument} that names the
/// origin, the entry and the key.
Part parse(std::string_view text, const std::string &origin);

} // namespace banger::catalog
