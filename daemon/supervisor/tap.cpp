#include "daemon/supervisor/tap.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <org.banger.NetworkHelper_proxy.hpp>
#include <sys/ioctl.h>

#include <chrono>

namespace banger::supervisor {
namespace {

class HelperProxy : public sdbus::ProxyInterfaces<org::banger::NetworkHelper_proxy> {
public:
    explicit HelperProxy(sdbus::IConnection &connection)
        : ProxyInterfaces(connection, bus::ServiceName{"org.banger.NetworkHelper"},
                          sdbus::ObjectPath{"/org/banger/NetworkHelper"}) {
        registerProxy();
    }
    ~HelperProxy() { unregisterProxy(); }
    HelperProxy(const HelperProxy &) = delete;
    HelperProxy &operator=(const HelperProxy &) = delete;
};

} // namespace

UniqueFd open_tap(const std::string &name) {
    UniqueFd fd = open_file("/dev/net/tun", O_RDWR | O_NONBLOCK);
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
        throw_errno(fmt::format("open the tap {}", name));
    }
    return fd;
}

void release_tap(const std::string &name) {
    try {
        const auto connection = sdbus::createSystemBusConnection();
        connection->setMethodCallTimeout(std::chrono::seconds(10));
        HelperProxy(*connection).ReleaseTap(name);
    } catch (const sdbus::Error &e) {
        throw bus::from_bus_error(e.getName(), e.getMessage())
            .with_context(fmt::format("release the tap {}", name));
    }
}

} // namespace banger::supervisor
