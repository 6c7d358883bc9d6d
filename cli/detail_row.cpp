#include "cli/detail_row.hpp"

#include "cli/terminal.hpp"

#include <fmt/format.h>

namespace banger::cli {

void print_detail(const char *key, const std::string &value) {
    if (!value.empty()) {
        fmt::print("{:>12}: {}\n", key, printable(value));
    }
}

} // namespace banger::cli
