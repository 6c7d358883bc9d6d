#include "base/files.hpp"
#include "daemon/ext4/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>

int main(int argc, char **argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: many_files COUNT IMAGE\n");
        return 2;
    }
    try {
        using namespace banger;
        const int count = std::atoi(argv[1]);
        const UniqueFd file = open_file(argv[2], O_RDWR | O_CREAT | O_EXCL);
        const auto begin = std::chrono::steady_clock::now();
        ext4::Writer writer{file.get(), {}};
        for (int i = 0; i < count; ++i) {
            writer.add_file(fmt::format("many/file-{:08}", i), {}, "x");
        }
        writer.finish();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        fmt::print("{} files in one directory: {:.2f} s\n", count, took.count());
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "many_files: {}\n", error.what());
        return 1;
    }
}
