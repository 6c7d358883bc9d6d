#include "daemon/helper/resolved_link.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "dbus/compat.hpp"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <string_view>

namespace banger::helper {
namespace {

using namespace std::chrono_literals;

constexpr const char *service = "org.freedesktop.resolve1";
constexpr const char *manager_interface = "org.freedesktop.resolve1.Manager";
constexpr std::chrono::microseconds call_timeout = 5s;

// systemd-resolved hears of a new link by netlink, which may be after it hears of it from us.
constexpr int attempts = 20;
constexpr std::chrono::microseconds between_attempts = 50ms;

bool is_absence(const sdbus::Error &error) {
    static const std::set<std::string> names{
        "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
        "org.freedesktop.DBus.Error.Spawn.ServiceNotFound", "org.freedesktop.systemd1.NoSuchUnit",
        "org.freedesktop.systemd1.UnitMasked"};
    return names.count(error.getName()) != 0;
}

} // namespace

/// The calls of one registration, one after the other. Lives in the callback of the call under way.
class ResolvedLinks::Registration : public std::enable_shared_from_this<Registration> {
public:
    Registration(EventLoop &loop, std::shared_ptr<sdbus::IProxy> manager, LinkDns link, Done done)
        : loop_(loop), manager_(std::move(manager)), link_(std::move(link)),
          done_(std::move(done)) {}

    void next() {
        static constexpr std::array steps{
            &Registration::set_dns,   &Registration::set_domains, &Registration::set_default_route,
            &Registration::set_llmnr, &Registration::set_mdns,    &Registration::set_dns_over_tls,
            &Registration::set_dnssec};
        if (step_ == steps.size()) {
            done_("registered");
            return;
        }
        (this->*steps.at(step_))();
    }

private:
    void set_dns() {
        const auto &octets = link_.server.octets;
        using Server = sdbus::Struct<std::int32_t, std::vector<std::uint8_t>>;
        call("SetLinkDNS",
             std::vector<Server>{sdbus::make_struct(
                 std::int32_t{AF_INET}, std::vector<std::uint8_t>(octets.begin(), octets.end()))});
    }
    void set_domains() {
        constexpr bool routing_only = true;
        std::vector<sdbus::Struct<std::string, bool>> domains;
        for (const std::string &domain : link_.domains) {
            domains.push_back(sdbus::make_struct(domain, bool{routing_only}));
        }
        call("SetLinkDomains", domains);
    }
    void set_default_route() { call("SetLinkDefaultRoute", false); }
    void set_llmnr() { call("SetLinkLLMNR", std::string{"no"}); }
    void set_mdns() { call("SetLinkMulticastDNS", std::string{"no"}); }
    void set_dns_over_tls() { call("SetLinkDNSOverTLS", std::string{"no"}); }
    // "vm" is not delegated in the root zone: validation would prove it away.
    void set_dnssec() { call("SetLinkDNSSEC", std::string{"no"}); }

    template <typename Argument>
    void call(const char *method, const Argument &argument) {
        manager_->callMethodAsync(method)
            .onInterface(manager_interface)
            .withTimeout(call_timeout)
            .withArguments(std::int32_t{link_.ifindex}, argument)
            .uponReplyInvoke([self = shared_from_this(), method](bus::AsyncError error) {
                if (!error) {
                    ++self->step_;
                    self->next();
                } else {
                    self->failed(method, *error);
                }
            });
    }

    void failed(std::string_view method, const sdbus::Error &error) {
        if (is_absence(error)) {
            done_("absent");
        } else if (std::string_view{error.getName()} == "org.freedesktop.resolve1.NoSuchLink" &&
                   ++failures_ < attempts) {
            retry_ = loop_.add_timer(between_attempts, [self = shared_from_this()] {
                self->retry_.reset();
                self->next();
            });
        } else {
            log::warning(fmt::format("systemd-resolved refused {} for link {}: {}", method,
                                     link_.ifindex, error.getMessage()));
            done_(fmt::format("systemd-resolved refused {}: {}", method, error.getMessage()));
        }
    }

    EventLoop &loop_;
    std::shared_ptr<sdbus::IProxy> manager_;
    LinkDns link_;
    Done done_;
    std::size_t step_ = 0;
    int failures_ = 0;
    EventSource retry_;
};

ResolvedLinks::ResolvedLinks(EventLoop &loop, sdbus::IConnection &system_bus)
    : loop_(loop), manager_(sdbus::createProxy(system_bus, bus::ServiceName{service},
                                               sdbus::ObjectPath{"/org/freedesktop/resolve1"})) {}

ResolvedLinks::~ResolvedLinks() = default;

void ResolvedLinks::add(const LinkDns &link, Done done) {
    std::make_shared<Registration>(loop_, manager_, link, std::move(done))->next();
}

void ResolvedLinks::query(const LinkDns &link, Done done) {
    // Of all links: interface index (0: of no link), domain, routing-only.
    using Domains = std::vector<sdbus::Struct<std::int32_t, std::string, bool>>;
    manager_->callMethodAsync("Get")
        .onInterface("org.freedesktop.DBus.Properties")
        .withTimeout(call_timeout)
        .withArguments(std::string{manager_interface}, std::string{"Domains"})
        .uponReplyInvoke(
            [link, done = std::move(done)](bus::AsyncError error, const sdbus::Variant &value) {
                if (error) {
                    done(is_absence(*error) ? "absent" : std::string{error->getMessage()});
                    return;
                }
                for (const auto &domain : value.get<Domains>()) {
                    if (std::get<0>(domain) == link.ifindex &&
                        std::get<1>(domain) == link.domains.front()) {
                        done("registered");
                        return;
                    }
                }
                done("the bridge is not registered with systemd-resolved");
            });
}

} // namespace banger::helper
