#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "cli/errors.hpp"
#include "dbus/bus_pump.hpp"
#include "dbus/compat.hpp"
#include "org.freedesktop.DBus_proxy.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace banger::cli {

namespace names {
constexpr const char *service = "org.banger.Manager";
constexpr const char *manager_path = "/org/banger/Manager";
constexpr const char *manager = "org.banger.Manager";
constexpr const char *vm = "org.banger.VM";
constexpr const char *image = "org.banger.Image";
constexpr const char *kernel = "org.banger.Kernel";
constexpr const char *job = "org.banger.Job";
constexpr const char *properties = "org.freedesktop.DBus.Properties";
constexpr const char *object_manager = "org.freedesktop.DBus.ObjectManager";
} // namespace names

using Properties = std::map<std::string, sdbus::Variant>;
/// As GetManagedObjects tells them: path, interface, properties.
using ManagedObjects = std::map<sdbus::ObjectPath, std::map<std::string, Properties>>;

/// The value of a property; `fallback` where an older daemon has none, or another type.
template <typename T>
T property(const Properties &properties, const std::string &name, T fallback = {}) {
    const auto found = properties.find(name);
    if (found == properties.end() || found->second.peekValueType() != bus::signature_of<T>()) {
        return fallback;
    }
    return found->second.get<T>();
}

/// A connection to the session bus, driven by one event loop in this thread. SIGINT, SIGTERM and
/// SIGHUP are blocked while it lives and come out of the waits as Interrupted. A call that
/// reaches org.banger.Manager starts bangerd; nothing else here does.
class Client {
public:
    /// Throws Error that says why there is no session bus.
    Client();
    ~Client();
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    EventLoop &loop() noexcept { return loop_; }
    sdbus::IConnection &connection() noexcept { return *connection_; }

    /// Whether the name has an owner; starts nothing.
    bool has_owner(const std::string &bus_name);
    bool daemon_running() { return has_owner(names::service); }

    /// Runs the loop until `done` holds (true) or the time is up (false). Throws Interrupted, or
    /// Error when the bus is lost.
    bool wait_until(const std::function<bool()> &done,
                    std::optional<std::chrono::milliseconds> timeout = std::nullopt);
    /// Forgets a signal that has come, so that what is to be cleaned up can still wait.
    void clear_interrupt() noexcept { interrupt_ = 0; }

    /// Everything under the manager: VMs, images, kernels, jobs.
    ManagedObjects objects();
    Properties all_properties(const sdbus::ObjectPath &path, const char *interface);

    /// A short call: blocks for its answer. Throws Error.
    template <typename... Results, typename... Arguments>
    auto call(const sdbus::ObjectPath &path, const char *interface, const char *method,
              const Arguments &...arguments) {
        return call_service<Results...>(names::service, path, interface, method, arguments...);
    }

    template <typename... Results, typename... Arguments>
    auto call_service(const char *service, const sdbus::ObjectPath &path, const char *interface,
                      const char *method, const Arguments &...arguments) {
        return remote([&] {
            const auto target = proxy(service, path);
            std::tuple<Results...> results;
            if constexpr (sizeof...(Results) == 0) {
                target->callMethod(method).onInterface(interface).withArguments(arguments...);
            } else {
                std::apply(
                    [&](auto &...values) {
                        target->callMethod(method)
                            .onInterface(interface)
                            .withArguments(arguments...)
                            .storeResultsTo(values...);
                    },
                    results);
            }
            if constexpr (sizeof...(Results) == 1) {
                return std::get<0>(std::move(results));
            } else {
                return results;
            }
        });
    }

    /// A call that may take long: the loop runs meanwhile. Throws Error, or Interrupted.
    template <typename... Results, typename... Arguments>
    std::tuple<Results...> call_and_wait(const sdbus::ObjectPath &path, const char *interface,
                                         const char *method, std::chrono::seconds timeout,
                                         const Arguments &...arguments) {
        // Shared: an interrupted wait leaves the callback behind.
        struct Answer {
            std::optional<std::tuple<Results...>> results;
            std::optional<Error> error;
        };
        const auto answer = std::make_shared<Answer>();
        const auto target = remote([&] {
            auto target_proxy = proxy(names::service, path);
            target_proxy->callMethodAsync(method)
                .onInterface(interface)
                .withTimeout(timeout)
                .withArguments(arguments...)
                .uponReplyInvoke([answer](bus::AsyncError error, Results... results) {
                    if (error) {
                        answer->error = readable(*error);
                    } else {
                        answer->results = std::tuple<Results...>(std::move(results)...);
                    }
                });
            return target_proxy;
        });
        wait_until([&] { return answer->results || answer->error; });
        if (answer->error) {
            throw *answer->error;
        }
        return std::move(*answer->results);
    }

private:
    std::unique_ptr<sdbus::IProxy> proxy(const char *service, const sdbus::ObjectPath &path);

    // Puts the thread's signals back when all else is gone.
    struct SignalMask {
        SignalMask();
        ~SignalMask();
        SignalMask(const SignalMask &) = delete;
        SignalMask &operator=(const SignalMask &) = delete;
        sigset_t before{};
    };

    SignalMask mask_;
    EventLoop loop_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<bus::BusPump> pump_;
    std::vector<EventSource> signals_;
    int interrupt_ = 0;
    bool lost_ = false;
};

/// The descriptor with close-on-exec set: one that came over the bus has it not.
UniqueFd adopt(sdbus::UnixFd fd);

/// Counts how often bangerd has left the bus, and with it what it had promised, and how often it
/// has come.
class DaemonWatch final : public sdbus::ProxyInterfaces<org::freedesktop::DBus_proxy> {
public:
    explicit DaemonWatch(Client &client);
    ~DaemonWatch();
    DaemonWatch(const DaemonWatch &) = delete;
    DaemonWatch &operator=(const DaemonWatch &) = delete;

    int losses() const noexcept { return losses_; }
    int gains() const noexcept { return gains_; }

private:
    void onNameOwnerChanged(const std::string &name, const std::string &old_owner,
                            const std::string &new_owner) override;
    void onGetConnectionUnixUserReply(const uint32_t & /*uid*/,
                                      bus::AsyncError /*error*/) override {}
    void onGetConnectionUnixProcessIDReply(const uint32_t & /*pid*/,
                                           bus::AsyncError /*error*/) override {}

    int losses_ = 0;
    int gains_ = 0;
};

/// The properties of one object, kept up to date by PropertiesChanged. Subscribes before it asks,
/// so that no change is missed.
class PropertyWatch final : public sdbus::ProxyInterfaces<sdbus::Properties_proxy> {
public:
    PropertyWatch(Client &client, const sdbus::ObjectPath &path, const char *interface);
    ~PropertyWatch();
    PropertyWatch(const PropertyWatch &) = delete;
    PropertyWatch &operator=(const PropertyWatch &) = delete;

    const Properties &values() const noexcept { return values_; }
    /// Asks again: after the daemon has started anew.
    void refresh();

private:
    void onPropertiesChanged(const bus::InterfaceName &interface,
                             const std::map<bus::PropertyName, sdbus::Variant> &changed,
                             const std::vector<bus::PropertyName> &invalidated) override;

    Client &client_;
    sdbus::ObjectPath path_;
    const char *interface_;
    Properties values_;
};

} // namespace banger::cli
