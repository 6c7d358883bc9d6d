#pragma once

#include <string>

namespace banger::cli {

/// A line of what `show` prints; nothing for an empty value. The value is made printable.
void print_detail(const char *key, const std::string &value);

} // namespace banger::cli
