#include "daemon/bus/network_helper_client.hpp"

#include "daemon/bus/descriptors.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <sys/types.h>

namespace banger::bus {
namespace {

constexpr const char *service = "org.banger.NetworkHelper";
constexpr const char *object = "/org/banger/NetworkHelper";
constexpr const char *interface = "org.banger.NetworkHelper";
/// Making a network asks polkit and systemd-resolved, and may have to start the helper.
constexpr std::chrono::seconds patience{30};
/// polkit asks the user, who has to find a password.
constexpr std::chrono::minutes human_patience{10};

Error to_error(const AsyncError &error) {
    const std::string &name = error->getName();
    const std::string &message = error->getMessage();
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown" ||
        name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
        name.starts_with("org.freedesktop.DBus.Error.Spawn") ||
        name == "org.freedesktop.DBus.Error.NoReply" ||
        name == "org.freedesktop.DBus.Error.Timeout") {
        return {ErrorCode::NetworkUnavailable,
                fmt::format("banger-network-helper cannot be reached ({}): see 'systemctl status "
                            "banger-network-helper'",
                            message)};
    }
    return from_bus_error(name, message);
}

/// Runs `make`, which may throw on what the helper sent, and calls back with its value.
template <typename T, typename Make>
void answer(const net::NetworkHelper::Callback<T> &done, const AsyncError &error, Make make) {
    if (error) {
        done(to_error(error));
        return;
    }
    std::optional<Outcome<T>> outcome;
    try {
        outcome.emplace(make());
    } catch (const Error &e) {
        outcome.emplace(e.with_context("banger-network-helper's answer"));
    }
    done(std::move(*outcome));
}

std::chrono::microseconds patience_for(bool interactive) {
    return interactive ? std::chrono::microseconds{human_patience}
                       : std::chrono::microseconds{patience};
}

net::Authorization authorization_from(const std::string &text) {
    if (text == "yes") {
        return net::Authorization::Yes;
    }
    return text == "challenge" ? net::Authorization::Challenge : net::Authorization::No;
}

} // namespace

class NetworkHelperClient::Proxy {
public:
    explicit Proxy(sdbus::IConnection &bus)
        : proxy_(sdbus::createProxy(bus, ServiceName{service}, sdbus::ObjectPath{object})) {}

    template <typename Handler, typename... Args>
    void call(const char *method, Handler handler, const Args &...args) {
        call_for(patience, method, std::move(handler), args...);
    }
    template <typename Handler, typename... Args>
    void call_for(std::chrono::microseconds timeout, const char *method, Handler handler,
                  const Args &...args) {
        proxy_->callMethodAsync(method)
            .onInterface(interface)
            .withTimeout(timeout)
            .withArguments(args...)
            .uponReplyInvoke(std::move(handler));
    }

private:
    std::unique_ptr<sdbus::IProxy> proxy_;
};

NetworkHelperClient::NetworkHelperClient(sdbus::IConnection &system_bus)
    : proxy_(std::make_unique<Proxy>(system_bus)) {}

NetworkHelperClient::~NetworkHelperClient() = default;

void NetworkHelperClient::ensure_network(bool interactive, Callback<net::Network> done) {
    proxy_->call_for(
        patience_for(interactive), "EnsureNetwork",
        [done = std::move(done)](AsyncError error, const std::string &bridge,
                                 const std::string &gateway, const std::uint32_t &prefix_length,
                                 const std::string &domain) {
            answer<net::Network>(done, error, [&] {
                return net::Network{bridge, Ipv4::parse(gateway), prefix_length, domain};
            });
        },
        interactive);
}

void NetworkHelperClient::create_tap(const Ipv4 &address, bool allow_host, bool interactive,
                                     Callback<net::Tap> done) {
    proxy_->call_for(
        patience_for(interactive), "CreateTap",
        [done = std::move(done)](AsyncError error, const std::string &tap, const std::string &mac) {
            answer<net::Tap>(done, error, [&] { return net::Tap{tap, mac}; });
        },
        address.str(), allow_host, interactive);
}

void NetworkHelperClient::release_tap(const std::string &tap, Callback<void> done) {
    proxy_->call(
        "ReleaseTap",
        [done = std::move(done)](AsyncError error) {
            done(error ? Outcome<void>(to_error(error)) : Outcome<void>());
        },
        tap);
}

void NetworkHelperClient::set_nat(const std::string &tap, bool on, bool interactive,
                                  Callback<void> done) {
    proxy_->call_for(
        patience_for(interactive), "SetNAT",
        [done = std::move(done)](AsyncError error) {
            done(error ? Outcome<void>(to_error(error)) : Outcome<void>());
        },
        tap, on, interactive);
}

void NetworkHelperClient::open_dns_sockets(bool interactive, Callback<net::DnsSockets> done) {
    proxy_->call_for(
        patience_for(interactive), "OpenDNSSockets",
        [done = std::move(done)](AsyncError error, const sdbus::UnixFd &udp,
                                 const sdbus::UnixFd &tcp) {
            answer<net::DnsSockets>(done, error, [&] {
                net::DnsSockets sockets{own(udp), own(tcp)};
                set_nonblocking(sockets.udp.get());
                set_nonblocking(sockets.tcp.get());
                return sockets;
            });
        },
        interactive);
}

void NetworkHelperClient::describe(Callback<net::NetworkState> done) {
    using TapRow = sdbus::Struct<std::string, std::string, std::string, bool>;
    proxy_->call("Describe", [done = std::move(done)](
                                 AsyncError error, const std::string &bridge,
                                 const std::string &gateway, const std::uint32_t &prefix_length,
                                 const std::string &domain, const std::string &resolved,
                                 const std::vector<TapRow> &taps) {
        answer<net::NetworkState>(done, error, [&] {
            net::NetworkState state;
            if (!gateway.empty()) {
                state.network = net::Network{bridge, Ipv4::parse(gateway), prefix_length, domain};
            }
            state.resolved = resolved;
            for (const auto &row : taps) {
                state.taps.push_back({std::get<0>(row), Ipv4::parse(std::get<1>(row)),
                                      std::get<2>(row), std::get<3>(row)});
            }
            return state;
        });
    });
}

void NetworkHelperClient::check_authorization(Callback<net::Authorization> done) {
    proxy_->call("CheckAuthorization", [done = std::move(done)](AsyncError error,
                                                                const std::string &result) {
        answer<net::Authorization>(done, error, [&] { return authorization_from(result); });
    });
}

void NetworkHelperClient::remove_all(Callback<void> done) {
    proxy_->call("RemoveAll", [done = std::move(done)](AsyncError error) {
        done(error ? Outcome<void>(to_error(error)) : Outcome<void>());
    });
}

} // namespace banger::bus
