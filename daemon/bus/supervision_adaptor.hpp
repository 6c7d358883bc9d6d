#pragma once

#include "daemon/bus/bus_daemon_client.hpp"
#include "daemon/bus/domain.hpp"
#include "dbus/compat.hpp"

#include <org.banger.Supervision_adaptor.hpp>

namespace banger::bus {

/// /org/banger/Manager, for the supervisors: only the main process of a VM's unit is served.
class SupervisionAdaptor final : public sdbus::AdaptorInterfaces<org::banger::Supervision_adaptor> {
public:
    SupervisionAdaptor(sdbus::IConnection &bus, DomainAccess domain);
    ~SupervisionAdaptor();
    SupervisionAdaptor(const SupervisionAdaptor &) = delete;
    SupervisionAdaptor &operator=(const SupervisionAdaptor &) = delete;

private:
    void Prepare(sdbus::Result<std::string> &&result, std::string name) override;

    DomainAccess domain_;
    BusDaemonClient bus_daemon_;
};

} // namespace banger::bus
