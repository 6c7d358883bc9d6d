// banger-image-worker: what blocks, or reads what others made, in a process of its own. One task
// per run. Progress and the result are JSON lines on standard output (report.hpp).

#include "base/error.hpp"
#include "daemon/image/worker/command_line.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <clocale>
#include <exception>
#include <new>

namespace banger::image {
namespace {

/// A library that reads what others made may be led to ask for any amount of memory.
void limit_memory() {
    // A sanitizer's own memory counts too.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    constexpr rlim_t most = rlim_t{3} << 30U;
    rlimit limit{};
    if (::getrlimit(RLIMIT_DATA, &limit) == 0) {
        limit.rlim_cur = std::min(limit.rlim_max, most);
        ::setrlimit(RLIMIT_DATA, &limit);
    }
#endif
}

int run(int argc, char **argv) {
    limit_memory();
    // Names in archives are UTF-8; without a locale libarchive refuses them.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    Report report{1};
    CLI::App app{"Does one task for bangerd, in a process of its own."};
    Task task;
    add_tasks(app, task);
    CLI11_PARSE(app, argc, argv);
    try {
        task(report);
        return 0;
    } catch (const Error &error) {
        report.error(error);
    } catch (const std::bad_alloc &) {
        report.error(Error{ErrorCode::LimitsExceeded, "out of memory"});
    } catch (const std::exception &error) {
        report.error(Error{ErrorCode::Internal, error.what()});
    }
    return 1;
}

} // namespace
} // namespace banger::image

int main(int argc, char **argv) {
    try {
        return banger::image::run(argc, argv);
    } catch (...) {
        return 1; // standard output is gone: nobody to tell
    }
}
