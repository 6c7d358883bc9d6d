#include "tests/unit/image/tar_compare.hpp"

#include <fmt/format.h>

#include <clocale>
#include <exception>

int main(int argc, char **argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: compare_tar TAR IMAGE\n");
        return 2;
    }
    std::setlocale(LC_CTYPE, "C.UTF-8");
    try {
        std::size_t entries = 0;
        const auto found = banger::test::differences(argv[1], argv[2], entries);
        for (const auto &difference : found) {
            fmt::print("{}\n", difference);
        }
        fmt::print("{} entries compared, {} differences\n", entries, found.size());
        return found.empty() ? 0 : 1;
    } catch (const std::exception &error) {
        fmt::print(stderr, "compare_tar: {}\n", error.what());
        return 2;
    }
}
