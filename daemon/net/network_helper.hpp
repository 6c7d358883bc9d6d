#pragma once

#include "base/ipv4.hpp"
#include "base/outcome.hpp"
#include "base/unique_fd.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace banger::net {

/// The user's part of the host's network.
struct Network {
    std::string bridge; ///< "bngr0"
    Ipv4 gateway;       ///< the bridge's own address, also the guests' resolver
    unsigned prefix_length = 24;
    std::string domain; ///< "vm", or "alice.vm"

    auto operator<=>(const Network &) const = default;
};

/// A tap and the MAC that its guest must use.
struct Tap {
    std::string name; ///< "bngr0-2"
    std::string mac;  ///< "06:00:ac:10:00:02"
};

/// Bound to the gateway address, port 53; close-on-exec and non-blocking.
struct DnsSockets {
    UniqueFd udp;
    UniqueFd tcp; ///< listening
};

/// What the helper found in the kernel for this user.
struct NetworkState {
    struct TapState {
        std::string name;
        Ipv4 address;
        std::string mac;
        bool nat = false;
    };
    /// None where the user has no subnet yet; its `bridge` is "" where that is not up.
    std::optional<Network> network;
    /// "registered", "absent", or why it is neither.
    std::string resolved;
    std::vector<TapState> taps;
};

enum class Authorization { Yes, Challenge, No };

/// The privileged helper, seen from the user's side (org.banger.NetworkHelper). Callbacks come
/// later, from the event loop, exactly once; an Error in them is for the user: NotAuthorized says
/// how to become authorized, NetworkUnavailable why the helper cannot be reached. `interactive`
/// lets polkit ask the user.
class NetworkHelper {
public:
    template <typename T>
    using Callback = std::function<void(Outcome<T>)>;

    virtual ~NetworkHelper() = default;

    virtual void ensure_network(bool interactive, Callback<Network> done) = 0;
    /// Idempotent: the same address gives the same tap.
    virtual void create_tap(const Ipv4 &address, bool allow_host, bool interactive,
                            Callback<Tap> done) = 0;
    /// Succeeds also where there is no such tap.
    virtual void release_tap(const std::string &tap, Callback<void> done) = 0;
    virtual void set_nat(const std::string &tap, bool on, bool interactive,
                         Callback<void> done) = 0;
    virtual void open_dns_sockets(bool interactive, Callback<DnsSockets> done) = 0;
    virtual void describe(Callback<NetworkState> done) = 0;
    virtual void check_authorization(Callback<Authorization> done) = 0;
    virtual void remove_all(Callback<void> done) = 0;
};

} // namespace banger::net
