#pragma once

#include <filesystem>

namespace banger::init {

/// Where `path` leads in the tree below `root`, relative to it: every symbolic link on the way is
/// followed as if `root` were the root directory, and what does not exist is taken as it is
/// written. Throws Error{ImageCorrupt} for links that lead in a circle.
std::filesystem::path resolve_in(const std::filesystem::path &root,
                                 const std::filesystem::path &path);

} // namespace banger::init
