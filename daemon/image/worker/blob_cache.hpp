#pragma once

#include "daemon/image/worker/report.hpp"

#include <chrono>
#include <filesystem>
#include <optional>

namespace banger::image {

/// Result: {"blobs": [{"digest","size","last_used","partial"}…]}, the last used first; times in
/// seconds since the epoch. Throws Error.
void list_blob_cache(const std::filesystem::path &cache, Report &report);

/// Removes the blobs that were not used for so long, or all. Result: {"freed": bytes}. Throws
/// Error.
void prune_blob_cache(const std::filesystem::path &cache,
                      std::optional<std::chrono::seconds> unused_for, Report &report);

} // namespace banger::image
