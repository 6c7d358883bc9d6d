#include "daemon/bus/systemd_client.hpp"

#include "base/log.hpp"
#include "daemon/bus/object_paths.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <org.freedesktop.systemd1.Manager_proxy.hpp>

#include <utility>

namespace banger::bus {
namespace {

constexpr const char *service = "org.freedesktop.systemd1";
constexpr const char *manager_object = "/org/freedesktop/systemd1";
constexpr const char *manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char *unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char *service_interface = "org.freedesktop.systemd1.Service";
constexpr const char *properties_interface = "org.freedesktop.DBus.Properties";
constexpr const char *no_such_unit = "org.freedesktop.systemd1.NoSuchUnit";

Error to_error(const AsyncError &error, std::string_view what) {
    return from_bus_error(error->getName(), error->getMessage()).with_context(what);
}

Outcome<void> outcome_of_job(const std::string &unit, const std::string &result) {
    if (result == "done" || result == "skipped") {
        return {};
    }
    if (result == "canceled") {
        return Error(ErrorCode::Cancelled, fmt::format("the job on {} was cancelled", unit));
    }
    return Error(
        result == "timeout" ? ErrorCode::GuestTimeout : ErrorCode::VmmFailed,
        fmt::format("systemd's job on {0} ended with '{1}': see 'journalctl --user -u {0}'", unit,
                    result));
}

using Changes = std::vector<sdbus::Struct<std::string, std::string, std::string>>;

template <typename T>
void take(const std::map<PropertyName, sdbus::Variant> &changed, const char *key, T &target) {
    if (const auto found = changed.find(PropertyName{key}); found != changed.end()) {
        target = found->second.template get<T>();
    }
}

} // namespace

/// The unit of one VM.
class SystemdClient::Unit final : public sdbus::ProxyInterfaces<sdbus::Properties_proxy> {
public:
    using Changed = std::function<void(const vm::UnitStatus &)>;

    Unit(sdbus::IConnection &bus, const VmName &name, Changed changed)
        : ProxyInterfaces(bus, ServiceName{service}, unit_path(name.unit())),
          changed_(std::move(changed)) {
        registerProxy();
    }
    ~Unit() { unregisterProxy(); }
    Unit(const Unit &) = delete;
    Unit &operator=(const Unit &) = delete;

    /// What is known so far, with what the unit was last asked for.
    vm::UnitStatus status;

private:
    void onPropertiesChanged(const InterfaceName &interface,
                             const std::map<PropertyName, sdbus::Variant> &changed,
                             const std::vector<PropertyName> &) override {
        const std::string &of = interface;
        try {
            if (of == service_interface) {
                take(changed, "Result", status.result);
                std::uint32_t pid = static_cast<std::uint32_t>(status.main_pid);
                take(changed, "MainPID", pid);
                status.main_pid = static_cast<pid_t>(pid);
                return; // systemd sends those of the unit right after
            }
            if (of != unit_interface) {
                return;
            }
            take(changed, "ActiveState", status.active);
            take(changed, "SubState", status.sub);
        } catch (const sdbus::Error &e) {
            log::warning(fmt::format("systemd sent properties of an unknown type: {}, ignoring",
                                     e.getMessage()));
            return;
        }
        changed_(status);
    }

    Changed changed_;
};

class SystemdClient::Manager final
    : public sdbus::ProxyInterfaces<org::freedesktop::systemd1::Manager_proxy> {
public:
    explicit Manager(sdbus::IConnection &bus)
        : ProxyInterfaces(bus, ServiceName{service}, sdbus::ObjectPath{manager_object}), bus_(bus) {
        registerProxy();
        // systemd sends its signals only when somebody has asked for them.
        call<>("Subscribe", "subscribe to systemd", [](const Outcome<void> &outcome) {
            if (!outcome) {
                log::warning(outcome.error().what());
            }
        });
    }
    ~Manager() { unregisterProxy(); }
    Manager(const Manager &) = delete;
    Manager &operator=(const Manager &) = delete;

    /// Calls a method of which only the success matters.
    template <typename... Ignored, typename... Args>
    void call(const char *method, std::string what, Callback<void> done, Args &&...args) {
        getProxy()
            .callMethodAsync(method)
            .onInterface(manager_interface)
            .withArguments(std::forward<Args>(args)...)
            .uponReplyInvoke([done = std::move(done), what = std::move(what)](AsyncError error,
                                                                              const Ignored &...) {
                done(error ? Outcome<void>(to_error(error, what)) : Outcome<void>());
            });
    }

    /// Calls a method that makes a job, and calls back when that has ended.
    void run_job(const char *method, const VmName &name, Callback<void> done) {
        const std::string unit = name.unit();
        getProxy()
            .callMethodAsync(method)
            .onInterface(manager_interface)
            .withArguments(unit, std::string{"replace"})
            .uponReplyInvoke([this, unit, method, done = std::move(done)](
                                 AsyncError error, const sdbus::ObjectPath &job) {
                if (error) {
                    const bool nothing_to_stop = std::string{error->getName()} == no_such_unit &&
                                                 std::string_view{method} == "StopUnit";
                    done(nothing_to_stop
                             ? Outcome<void>()
                             : Outcome<void>(to_error(error, fmt::format("{} {}", method, unit))));
                    return;
                }
                // The reply comes before JobRemoved: one sender's messages keep their order.
                jobs_[std::string{job}] = done;
            });
    }

    /// Calls back with whether there was anything to disable.
    void disable(const std::vector<std::string> &units, Callback<bool> done) {
        getProxy()
            .callMethodAsync("DisableUnitFiles")
            .onInterface(manager_interface)
            .withArguments(units, false)
            .uponReplyInvoke([done = std::move(done)](AsyncError error, const Changes &changes) {
                if (error) {
                    done(to_error(error, "disable the unit"));
                } else {
                    done(!changes.empty());
                }
            });
    }

    template <typename T>
    void get_property(const VmName &name, const char *interface, const char *property,
                      std::function<void(Outcome<T>)> done) {
        unit_proxy(name)
            .callMethodAsync("Get")
            .onInterface(properties_interface)
            .withArguments(std::string{interface}, std::string{property})
            .uponReplyInvoke(
                [done = std::move(done), name](AsyncError error, const sdbus::Variant &value) {
                    if (error) {
                        done(to_error(error, fmt::format("ask systemd about {}", name.unit())));
                        return;
                    }
                    try {
                        done(value.get<T>());
                    } catch (const sdbus::Error &e) {
                        done(Error(ErrorCode::Internal, e.getMessage()));
                    }
                });
    }

    void list(Callback<std::map<VmName, vm::UnitStatus>> done) {
        using Row = sdbus::Struct<std::string, std::string, std::string, std::string, std::string,
                                  std::string, sdbus::ObjectPath, std::uint32_t, std::string,
                                  sdbus::ObjectPath>;
        getProxy()
            .callMethodAsync("ListUnitsByPatterns")
            .onInterface(manager_interface)
            .withArguments(std::vector<std::string>{},
                           std::vector<std::string>{"banger-vm@*.service"})
            .uponReplyInvoke(
                [this, done = std::move(done)](AsyncError error, const std::vector<Row> &rows) {
                    if (error) {
                        done(to_error(error, "list the units of the VMs"));
                        return;
                    }
                    std::map<VmName, vm::UnitStatus> units;
                    for (const auto &row : rows) {
                        const std::string name = vm_name_of_unit(std::get<0>(row));
                        if (!name.empty()) {
                            vm::UnitStatus status;
                            status.active = std::get<3>(row);
                            status.sub = std::get<4>(row);
                            remember(VmName(name), status);
                            units.emplace(VmName(name), status);
                        }
                    }
                    done(std::move(units));
                });
    }

    /// Asks for the state of the unit, and remembers it.
    void query(const VmName &name, Callback<vm::UnitStatus> done) {
        // Four questions at once; the answers come in their order, so the last one completes it.
        const auto status = std::make_shared<vm::UnitStatus>();
        const auto failed = std::make_shared<std::optional<Error>>();
        const auto into = [failed](std::string &target, std::shared_ptr<vm::UnitStatus> keep) {
            return [failed, &target, keep = std::move(keep)](Outcome<std::string> outcome) {
                if (outcome) {
                    target = outcome.value();
                } else {
                    *failed = outcome.error();
                }
            };
        };
        get_property<std::string>(name, unit_interface, "ActiveState",
                                  into(status->active, status));
        get_property<std::string>(name, unit_interface, "SubState", into(status->sub, status));
        get_property<std::string>(name, service_interface, "Result", into(status->result, status));
        get_property<std::uint32_t>(
            name, service_interface, "MainPID",
            [this, name, status, failed, done = std::move(done)](Outcome<std::uint32_t> pid) {
                if (*failed) {
                    done(**failed);
                    return;
                }
                if (!pid) {
                    done(pid.error());
                    return;
                }
                status->main_pid = static_cast<pid_t>(pid.value());
                remember(name, *status);
                done(*status);
            });
    }

    void watch(const VmName &name) {
        watched_[name] = std::make_unique<Unit>(bus_, name, [this, name](const auto &status) {
            if (observer_) {
                // A copy: the observer may stop the watch.
                observer_(name, vm::UnitStatus{status});
            }
        });
    }
    void unwatch(const VmName &name) {
        if (auto node = watched_.extract(name)) {
            // Not at once: it may be the one whose signal is being handled.
            unwatched_.clear();
            unwatched_.push_back(std::move(node.mapped()));
        }
    }
    void observe(std::function<void(const VmName &, const vm::UnitStatus &)> observer) {
        observer_ = std::move(observer);
    }
    /// Later changes are merged into it.
    void remember(const VmName &name, const vm::UnitStatus &status) {
        if (const auto found = watched_.find(name); found != watched_.end()) {
            found->second->status = status;
        }
    }

private:
    sdbus::IProxy &unit_proxy(const VmName &name) {
        auto &proxy = queried_[name];
        if (!proxy) {
            proxy = sdbus::createProxy(bus_, ServiceName{service}, unit_path(name.unit()));
        }
        return *proxy;
    }

    void onJobRemoved(const std::uint32_t &, const sdbus::ObjectPath &job, const std::string &unit,
                      const std::string &result) override {
        if (const auto node = jobs_.extract(std::string{job})) {
            node.mapped()(outcome_of_job(unit, result));
        }
    }
    void onUnitNew(const std::string &, const sdbus::ObjectPath &) override {}
    void onUnitRemoved(const std::string &unit, const sdbus::ObjectPath &) override {
        // Also sent for every unit when systemd reloads. So ask; but not about one that is known to
        // be down, because the question loads it, and then it is removed again.
        const std::string name = vm_name_of_unit(unit);
        if (name.empty()) {
            return;
        }
        const auto found = watched_.find(VmName(name));
        if (found == watched_.end() || found->second->status.active == "inactive") {
            return;
        }
        query(VmName(name), [this, vm = VmName(name)](Outcome<vm::UnitStatus> status) {
            if (status && observer_) {
                observer_(vm, status.value());
            }
        });
    }

    sdbus::IConnection &bus_;
    std::function<void(const VmName &, const vm::UnitStatus &)> observer_;
    std::map<std::string, Callback<void>> jobs_;
    std::map<VmName, std::unique_ptr<Unit>> watched_;
    std::vector<std::unique_ptr<Unit>> unwatched_;
    std::map<VmName, std::unique_ptr<sdbus::IProxy>> queried_;
};

SystemdClient::SystemdClient(sdbus::IConnection &session_bus)
    : manager_(std::make_unique<Manager>(session_bus)) {}

SystemdClient::~SystemdClient() = default;

void SystemdClient::observe(std::function<void(const VmName &, const vm::UnitStatus &)> observer) {
    manager_->observe(std::move(observer));
}

void SystemdClient::watch(const VmName &name) {
    manager_->watch(name);
}

void SystemdClient::unwatch(const VmName &name) {
    manager_->unwatch(name);
}

void SystemdClient::start(const VmName &name, Callback<void> done) {
    // Also forgets how often it was started of late: a user's start is never refused for that.
    reset_failed(name, [](const Outcome<void> &) {});
    manager_->run_job("StartUnit", name, std::move(done));
}

void SystemdClient::stop(const VmName &name, Callback<void> done) {
    manager_->run_job("StopUnit", name, std::move(done));
}

void SystemdClient::kill(const VmName &name, int signal_number, Callback<void> done) {
    manager_->call<>("KillUnit", fmt::format("kill {}", name.unit()), std::move(done), name.unit(),
                     std::string{"all"}, static_cast<std::int32_t>(signal_number));
}

void SystemdClient::reset_failed(const VmName &name, Callback<void> done) {
    manager_->call<>(
        "ResetFailedUnit", fmt::format("reset {}", name.unit()),
        [done = std::move(done)](const Outcome<void> &outcome) {
            const bool nothing_there = !outcome && outcome.error().code() == ErrorCode::NotFound;
            done(nothing_there ? Outcome<void>() : outcome);
        },
        name.unit());
}

void SystemdClient::set_limits(const VmName &name, const vm::UnitLimits &limits,
                               Callback<void> done) {
    using Property = sdbus::Struct<std::string, sdbus::Variant>;
    // In the order of their drop-ins' names: else systemd takes the unit for one that has changed
    // on disk, and asks for a reload.
    const std::vector<Property> properties{
        sdbus::make_struct(std::string{"CPUQuotaPerSecUSec"},
                           sdbus::Variant{limits.cpu_quota_usec_per_sec}),
        sdbus::make_struct(std::string{"MemoryMax"}, sdbus::Variant{limits.memory_max}),
        sdbus::make_struct(std::string{"TasksMax"}, sdbus::Variant{limits.tasks_max})};
    manager_->call<>("SetUnitProperties", fmt::format("limit {}", name.unit()), std::move(done),
                     name.unit(), true, properties);
}

void SystemdClient::forget(const VmName &name, Callback<void> done) {
    const std::vector<std::string> units{name.unit()};
    // Both are tried, whatever the other says; the messages keep their order.
    const auto reverted = std::make_shared<Outcome<void>>();
    manager_->call<Changes>(
        "RevertUnitFiles", fmt::format("revert {}", name.unit()),
        [reverted](const Outcome<void> &outcome) { *reverted = outcome; }, units);
    manager_->disable(units, [this, reverted, done = std::move(done)](Outcome<bool> changed) {
        if (!changed) {
            done(changed.error());
        } else if (changed.value()) {
            // A link in a .wants directory was removed: systemd still knows it.
            manager_->call<>("Reload", "reload systemd", done);
        } else {
            done(*reverted);
        }
    });
}

void SystemdClient::status(const VmName &name, Callback<vm::UnitStatus> done) {
    manager_->query(name, std::move(done));
}

void SystemdClient::list(Callback<std::map<VmName, vm::UnitStatus>> done) {
    manager_->list(std::move(done));
}

} // namespace banger::bus
