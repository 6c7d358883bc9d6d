#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "daemon/helper/idle_timer.hpp"
#include "daemon/helper/network_helper_adaptor.hpp"
#include "daemon/helper/network_service.hpp"
#include "dbus/bus_pump.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

namespace {

using namespace banger;
using namespace std::chrono_literals;

constexpr const char *bus_name = "org.banger.NetworkHelper";
constexpr std::chrono::seconds patience = 30s;

// systemd.exec(5), StateDirectory= and RuntimeDirectory=.
std::filesystem::path directory_of(const char *variable, const char *fallback) {
    const char *value = std::getenv(variable);
    return value != nullptr ? value : fallback;
}

// A request that arrives while the name is being given up is still answered: the queue is emptied
// after that. One that arrives later starts the next instance.
void retire(EventLoop &loop, sdbus::IConnection &connection,
            const helper::NetworkHelperAdaptor &adaptor) {
    sd_notify(0, "STOPPING=1\nSTATUS=Idle.");
    connection.releaseName(bus::ServiceName{bus_name});
    while (bus::process(connection)) {
    }
    if (!adaptor.busy()) {
        loop.exit(0);
    }
}

void run() {
    block_signals({SIGTERM, SIGINT});
    EventLoop loop;
    const EventSource terminate = loop.add_signal(SIGTERM, [&] { loop.exit(0); });
    const EventSource interrupt = loop.add_signal(SIGINT, [&] { loop.exit(0); });

    helper::NetworkService service(loop,
                                   {directory_of("STATE_DIRECTORY", "/var/lib/banger-network"),
                                    directory_of("RUNTIME_DIRECTORY", "/run/banger-network"),
                                    "/etc/banger/network.toml"});
    const auto connection = sdbus::createSystemBusConnection();
    const bus::BusPump pump(loop, *connection);

    std::unique_ptr<helper::NetworkHelperAdaptor> adaptor;
    bool retiring = false;
    helper::IdleTimer idle(loop, patience, [&] {
        if (adaptor->busy() || service.nat_is_on()) {
            idle.touch();
        } else {
            retiring = true;
            retire(loop, *connection, *adaptor);
        }
    });
    adaptor = std::make_unique<helper::NetworkHelperAdaptor>(loop, *connection, service, [&] {
        if (retiring && adaptor && !adaptor->busy()) {
            loop.exit(0);
        } else {
            idle.touch();
        }
    });
    connection->requestName(bus::ServiceName{bus_name});
    loop.enable_watchdog();
    sd_notify(0, "READY=1");
    if (const int status = loop.run(); status != 0) {
        fail(ErrorCode::Internal, "the system bus has gone away");
    }
    sd_notify(0, "STOPPING=1");
}

} // namespace

int main() {
    try {
        run();
        return EXIT_SUCCESS;
    } catch (const std::exception &e) {
        banger::log::error(e.what());
        return EXIT_FAILURE;
    }
}
