#pragma once

#include <filesystem>

namespace banger::init {

/// Loads the modules that the list names, one path a line, in its order. One that does not load is
/// told on the console: what needed it will say more.
void load_modules(const std::filesystem::path &list);

} // namespace banger::init
