#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "daemon/supervisor/memory_events.hpp"
#include "daemon/supervisor/post_stop.hpp"
#include "daemon/supervisor/supervisor.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace banger;

constexpr int usage_error = 2;

std::string environment(const char *name) {
    const char *value = ::secure_getenv(name);
    return value != nullptr ? value : "";
}

int supervise(const VmName &name) {
    block_signals({SIGTERM, SIGINT, SIGCHLD});
    EventLoop loop;
    supervisor::Supervisor machine(loop, Paths::for_this_user(), name, {});
    const EventSource term = loop.add_signal(SIGTERM, [&] { machine.stop(); });
    const EventSource interrupt = loop.add_signal(SIGINT, [&] { machine.stop(); });
    const EventSource start = loop.add_deferred([&] { machine.start(); });
    return loop.run();
}

int run(const std::vector<std::string_view> &arguments) {
    if (arguments.size() == 1 && arguments[0] == "--version") {
        fmt::print("banger-vm-supervisor {}\n", BANGER_VERSION);
        return EXIT_SUCCESS;
    }
    if (arguments.size() == 1 && arguments[0].substr(0, 1) != "-") {
        return supervise(VmName(arguments[0]));
    }
    if (arguments.size() == 2 && arguments[0] == "--post-stop") {
        supervisor::clean_up_after(Paths::for_this_user(), VmName(arguments[1]),
                                   {.result = environment("SERVICE_RESULT"),
                                    .code = environment("EXIT_CODE"),
                                    .status = environment("EXIT_STATUS"),
                                    .out_of_memory = supervisor::out_of_memory_kills() > 0});
        return EXIT_SUCCESS;
    }
    fmt::print(stderr, "usage: banger-vm-supervisor NAME | --post-stop NAME | --version\n"
                       "It is started by systemd: systemctl --user start banger-vm@NAME\n");
    return usage_error;
}

} // namespace

int main(int argc, char **argv) {
    try {
        ::umask(0077);
        // Descriptors of callers break; that is an error of that descriptor alone.
        std::signal(SIGPIPE, SIG_IGN);
        return run({argv + 1, argv + argc});
    } catch (const std::exception &e) {
        banger::log::error(e.what());
        return EXIT_FAILURE;
    }
}
