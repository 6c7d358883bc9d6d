#pragma once

#include "base/names.hpp"
#include "base/outcome.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace banger::vm {

/// What systemd says about the unit of a VM (org.freedesktop.systemd1(5)).
struct UnitStatus {
    std::string active = "inactive"; ///< ActiveState
    std::string sub = "dead";        ///< SubState
    std::string result = "success";  ///< Result
    pid_t main_pid = 0;
    bool operator==(const UnitStatus &) const = default;
};

/// Runtime properties of the unit.
struct UnitLimits {
    std::uint64_t memory_max = 0; ///< bytes
    std::uint64_t cpu_quota_usec_per_sec = 0;
    std::uint64_t tasks_max = 0;
};

/// The user's systemd. Every callback comes later, from the event loop, exactly once.
class UnitManager {
public:
    template <typename T>
    using Callback = std::function<void(Outcome<T>)>;

    virtual ~UnitManager() = default;

    /// Told of each change of a watched VM's unit, whoever caused it.
    virtual void observe(std::function<void(const VmName &, const UnitStatus &)> observer) = 0;
    virtual void watch(const VmName &name) = 0;
    virtual void unwatch(const VmName &name) = 0;

    /// Calls back when systemd's job has ended: the unit is up (its main process said READY=1), or
    /// an Error that says why not.
    virtual void start(const VmName &name, Callback<void> done) = 0;
    /// Calls back when the unit is down.
    virtual void stop(const VmName &name, Callback<void> done) = 0;
    /// To all processes of the unit; calls back when the signal is sent.
    virtual void kill(const VmName &name, int signal_number, Callback<void> done) = 0;
    /// Forgets that the unit failed. Succeeds where there is nothing to forget.
    virtual void reset_failed(const VmName &name, Callback<void> done) = 0;
    virtual void set_limits(const VmName &name, const UnitLimits &limits, Callback<void> done) = 0;
    /// Removes the unit's drop-ins and enable links.
    virtual void forget(const VmName &name, Callback<void> done) = 0;
    virtual void status(const VmName &name, Callback<UnitStatus> done) = 0;
    /// Every unit of a VM that systemd has loaded.
    virtual void list(Callback<std::map<VmName, UnitStatus>> done) = 0;
};

} // namespace banger::vm
