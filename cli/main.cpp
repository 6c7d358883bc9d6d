#include "base/log.hpp"
#include "cli/command_line.hpp"

#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

// `su` and `sudo -u` leave it out, though the user's bus is there. Where it is not, the bus itself
// says so to those who need it.
void find_runtime_directory() {
    ::setenv("XDG_RUNTIME_DIR", fmt::format("/run/user/{}", ::getuid()).c_str(), 0);
}

} // namespace

int main(int argc, char **argv) {
    try {
        std::setlocale(LC_CTYPE, "");
        ::signal(SIGPIPE, SIG_IGN);
        banger::log::set_level(banger::log::Level::Error);
        find_runtime_directory();
        const int status = banger::cli::run_command_line({argv + 1, argv + argc});
        if (std::fflush(stdout) != 0 && status == 0) {
            banger::cli::print_error("could not write to standard output");
            return banger::cli::exit_status::failure;
        }
        return status;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "banger: %s\n", e.what());
        return 1;
    }
}
