#include "daemon/helper/network_helper_adaptor.hpp"

#include "daemon/helper/user_name.hpp"
#include "daemon/net/guest_link.hpp"

namespace banger::helper {
namespace {

constexpr unsigned most_pending = 64; // of one uid
constexpr std::uint32_t prefix_length = 24;

Error refusal(Decision decision, uid_t owner) {
    const std::string name = user_name_of(owner);
    return {
        ErrorCode::NotAuthorized,
        fmt::format("{} may not make networks for virtual machines on this host{}; ask an "
                    "administrator to run: usermod -aG banger {}",
                    name.empty() ? fmt::format("uid {}", owner) : name,
                    decision == Decision::Challenge ? " without an administrator's password" : "",
                    name.empty() ? "USER" : name)};
}

LinkDns dns_of(const UserNetwork &network) {
    return {
        network.bridge, network.subnet.gateway(), {network.domain, network.subnet.reverse_zone()}};
}

} // namespace

class NetworkHelperAdaptor::Request {
public:
    Request(NetworkHelperAdaptor &adaptor, uid_t owner) : adaptor_(adaptor), owner_(owner) {
        ++adaptor_.pending_[owner_];
        adaptor_.on_activity_();
    }
    ~Request() {
        if (--adaptor_.pending_[owner_] == 0) {
            adaptor_.pending_.erase(owner_);
        }
        adaptor_.on_activity_();
    }
    Request(const Request &) = delete;
    Request &operator=(const Request &) = delete;

private:
    NetworkHelperAdaptor &adaptor_;
    uid_t owner_;
};

NetworkHelperAdaptor::NetworkHelperAdaptor(EventLoop &loop, sdbus::IConnection &bus,
                                           NetworkService &service,
                                           std::function<void()> on_activity)
    : AdaptorInterfaces(bus, sdbus::ObjectPath{"/org/banger/NetworkHelper"}), service_(service),
      on_activity_(std::move(on_activity)), authority_(bus), resolved_(loop, bus) {
    registerAdaptor();
}

NetworkHelperAdaptor::~NetworkHelperAdaptor() {
    unregisterAdaptor();
    // Requests that are dropped from here on are of no interest any more.
    on_activity_ = [] {};
}

uid_t NetworkHelperAdaptor::caller() const {
    return bus::sender_uid_of(getObject());
}

std::shared_ptr<NetworkHelperAdaptor::Request> NetworkHelperAdaptor::begin(uid_t owner) {
    if (const auto found = pending_.find(owner);
        found != pending_.end() && found->second >= most_pending) {
        fail(ErrorCode::LimitsExceeded,
             "{} requests of uid {} are waiting already; answer them first", most_pending, owner);
    }
    return std::make_shared<Request>(*this, owner);
}

template <typename Reply, typename Work>
void NetworkHelperAdaptor::authorized(uid_t owner, bool interactive, const Reply &reply,
                                      Work work) {
    authority_.check(
        bus::sender_of(getObject()), interactive,
        [owner, reply, work = std::move(work), request = begin(owner)](Outcome<Decision> outcome) {
            try {
                if (const Decision decision = outcome.value(); decision != Decision::Yes) {
                    throw refusal(decision, owner);
                }
                work(request);
            } catch (...) {
                reply.fail_with_current_exception();
            }
        });
}

void NetworkHelperAdaptor::register_dns(const UserNetwork &network, std::function<void()> done) {
    resolved_.add(dns_of(network), [done = std::move(done)](const std::string &) { done(); });
}

void NetworkHelperAdaptor::EnsureNetwork(
    sdbus::Result<std::string, std::string, std::uint32_t, std::string> &&result,
    bool interactive) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        authorized(owner, interactive, reply, [this, owner, reply](const auto &request) {
            const UserNetwork network = service_.ensure_network(owner);
            register_dns(network, [network, reply, request] {
                reply(net::bridge_name(network.subnet.number), network.subnet.gateway().str(),
                      prefix_length, network.domain);
            });
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::CreateTap(sdbus::Result<std::string, std::string> &&result,
                                     std::string address, bool allow_host, bool interactive) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        const Ipv4 guest = service_.check_address(owner, address);
        authorized(owner, interactive, reply,
                   [this, owner, guest, allow_host, reply](const auto &request) {
                       const auto before = service_.describe(owner);
                       const Guest tap = service_.create_tap(owner, guest, allow_host);
                       const auto answer = [tap, reply, request] {
                           reply(tap.tap, net::mac_of(tap.address));
                       };
                       const auto after = service_.describe(owner);
                       // A bridge that was there had its registration with EnsureNetwork.
                       if (before && after && before->bridge != after->bridge) {
                           register_dns(*after, answer);
                       } else {
                           answer();
                       }
                   });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::ReleaseTap(const std::string &tap) {
    bus::guard([&] {
        const uid_t owner = caller();
        const auto request = begin(owner);
        service_.release_tap(owner, tap);
    });
}

void NetworkHelperAdaptor::SetNAT(sdbus::Result<> &&result, std::string tap, bool on,
                                  bool interactive) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        service_.check_tap(owner, tap);
        if (!on) {
            const auto request = begin(owner);
            service_.set_nat(owner, tap, false);
            reply();
            return;
        }
        authorized(owner, interactive, reply, [this, owner, tap, reply](const auto &) {
            service_.set_nat(owner, tap, true);
            reply();
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::OpenDNSSockets(sdbus::Result<sdbus::UnixFd, sdbus::UnixFd> &&result,
                                          bool interactive) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        authorized(owner, interactive, reply, [this, owner, reply](const auto &) {
            DnsSockets sockets = service_.open_dns_sockets(owner);
            reply(sdbus::UnixFd(sockets.udp.release(), sdbus::adopt_fd),
                  sdbus::UnixFd(sockets.tcp.release(), sdbus::adopt_fd));
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::Describe(
    sdbus::Result<std::string, std::string, std::uint32_t, std::string, std::string,
                  std::vector<sdbus::Struct<std::string, std::string, std::string, bool>>>
        &&result) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        const auto request = begin(owner);
        using Tap = sdbus::Struct<std::string, std::string, std::string, bool>;
        const auto network = service_.describe(owner);
        if (!network) {
            reply(std::string{}, std::string{}, prefix_length, std::string{}, std::string{},
                  std::vector<Tap>{});
            return;
        }
        const auto answer = [network, reply, request](const std::string &status) {
            std::vector<Tap> taps;
            for (const Guest &guest : network->guests) {
                taps.push_back(sdbus::make_struct(guest.tap, guest.address.str(),
                                                  net::mac_of(guest.address), bool{guest.nat}));
            }
            reply(network->bridge != 0 ? net::bridge_name(network->subnet.number) : std::string{},
                  network->subnet.gateway().str(), prefix_length, network->domain, status, taps);
        };
        if (network->bridge == 0) {
            answer("the bridge is not up");
        } else {
            resolved_.query(dns_of(*network), answer);
        }
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::CheckAuthorization(sdbus::Result<std::string> &&result) {
    const bus::Reply reply(std::move(result));
    try {
        const uid_t owner = caller();
        authority_.check(bus::sender_of(getObject()), false,
                         [reply, request = begin(owner)](Outcome<Decision> outcome) {
                             try {
                                 const Decision decision = outcome.value();
                                 reply(std::string{decision == Decision::Yes         ? "yes"
                                                   : decision == Decision::Challenge ? "challenge"
                                                                                     : "no"});
                             } catch (...) {
                                 reply.fail_with_current_exception();
                             }
                         });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void NetworkHelperAdaptor::RemoveAll() {
    bus::guard([&] {
        const uid_t owner = caller();
        const auto request = begin(owner);
        service_.remove_all(owner);
    });
}

std::string NetworkHelperAdaptor::Version() {
    return BANGER_VERSION;
}

} // namespace banger::helper
