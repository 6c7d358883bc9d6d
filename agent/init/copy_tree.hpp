#pragma once

#include <filesystem>

namespace banger::init {

/// Copies what is in the directory `from` into the directory `to`, and the directory's own owner,
/// mode, times and extended attributes: files, directories, symbolic links, device nodes. What is
/// there already is replaced, so that an interrupted copy can be made again. Throws Error.
void copy_tree(const std::filesystem::path &from, const std::filesystem::path &to);

} // namespace banger::init
