#pragma once

#include "daemon/vm/unit_manager.hpp"

#include <memory>

namespace sdbus {
class IConnection;
}

namespace banger::bus {

/// vm::UnitManager over the user's systemd, org.freedesktop.systemd1(5). Destroying it drops the
/// calls that are under way; their callbacks are not called then.
class SystemdClient final : public vm::UnitManager {
public:
    /// The session bus, driven by an event loop; must outlive this.
    explicit SystemdClient(sdbus::IConnection &session_bus);
    ~SystemdClient() override;

    void observe(std::function<void(const VmName &, const vm::UnitStatus &)> observer) override;
    void watch(const VmName &name) override;
    void unwatch(const VmName &name) override;
    void start(const VmName &name, Callback<void> done) override;
    void stop(const VmName &name, Callback<void> done) override;
    void kill(const VmName &name, int signal_number, Callback<void> done) override;
    void reset_failed(const VmName &name, Callback<void> done) override;
    void set_limits(const VmName &name, const vm::UnitLimits &limits, Callback<void> done) override;
    void forget(const VmName &name, Callback<void> done) override;
    void status(const VmName &name, Callback<vm::UnitStatus> done) override;
    void list(Callback<std::map<VmName, vm::UnitStatus>> done) override;

private:
    class Manager;
    class Unit;
    std::unique_ptr<Manager> manager_;
};

} // namespace banger::bus
