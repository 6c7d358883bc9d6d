#include "daemon/bus/bus_daemon_client.hpp"

#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

namespace banger::bus {

BusDaemonClient::BusDaemonClient(sdbus::IConnection &bus)
    : proxy_(sdbus::createProxy(bus, ServiceName{"org.freedesktop.DBus"},
                                sdbus::ObjectPath{"/org/freedesktop/DBus"})) {}

BusDaemonClient::~BusDaemonClient() = default;

void BusDaemonClient::process_of(const std::string &unique_name,
                                 std::function<void(Outcome<pid_t>)> done) {
    proxy_->callMethodAsync("GetConnectionUnixProcessID")
        .onInterface("org.freedesktop.DBus")
        .withArguments(unique_name)
        .uponReplyInvoke([done = std::move(done)](AsyncError error, const std::uint32_t &pid) {
            if (error) {
                done(from_bus_error(error->getName(), error->getMessage()));
            } else {
                done(static_cast<pid_t>(pid));
            }
        });
}

} // namespace banger::bus
