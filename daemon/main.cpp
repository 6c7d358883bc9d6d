#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "daemon/daemon.hpp"
#include "daemon/install_paths.hpp"

#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <string_view>

int main(int argc, char **argv) {
    using namespace banger;
    if (argc > 1) {
        const bool version = std::string_view{argv[1]} == "--version";
        fmt::print(version ? stdout : stderr, "{}\n",
                   version ? "bangerd " BANGER_VERSION
                           : "bangerd takes no arguments: systemd or D-Bus starts it");
        return version ? 0 : 2;
    }
    try {
        block_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
        ::umask(077); // whatever is made is private from birth
        EventLoop loop;
        loop.enable_watchdog();
        const Daemon daemon(loop, Paths::for_this_user(), installed_programs());
        return loop.run();
    } catch (const std::exception &e) {
        log::error(e.what());
        return 1;
    }
}
