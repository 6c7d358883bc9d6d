#include "agent/identity/apply.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/ipv4.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace banger::identity {
namespace {

namespace fs = std::filesystem;

/// The link with that MAC; empty if there is none (yet).
std::string link_with_mac(std::string_view mac) {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator("/sys/class/net", ignored)) {
        try {
            if (std::string_view{read_file(entry.path() / "address")}.starts_with(mac)) {
                return entry.path().filename();
            }
        } catch (const Error &) {
            // A link that vanished, or has no address.
        }
    }
    return {};
}

sockaddr socket_address(const in_addr &address) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr = address;
    sockaddr out{};
    std::memcpy(&out, &in, sizeof(in));
    return out;
}

/// netdevice(7) through one socket.
class Link {
public:
    explicit Link(std::string name)
        : name_(std::move(name)), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (!socket_) {
            throw_errno("open a socket");
        }
    }

    void set_address(const in_addr &address, const in_addr &mask) {
        ifreq request = make_request();
        request.ifr_addr = socket_address(address);
        call(SIOCSIFADDR, request, "set the address");
        request.ifr_netmask = socket_address(mask);
        call(SIOCSIFNETMASK, request, "set the netmask");
    }

    void up() {
        ifreq request = make_request();
        call(SIOCGIFFLAGS, request, "read the flags");
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
        call(SIOCSIFFLAGS, request, "bring up the link");
    }

    void set_default_route(const in_addr &gateway) {
        rtentry route{};
        route.rt_dst = socket_address({INADDR_ANY});
        route.rt_genmask = socket_address({INADDR_ANY});
        route.rt_dev = name_.data();
        while (::ioctl(socket_.get(), SIOCDELRT, &route) == 0) {
        }
        route.rt_gateway = socket_address(gateway);
        route.rt_flags = RTF_UP | RTF_GATEWAY;
        if (::ioctl(socket_.get(), SIOCADDRT, &route) != 0 && errno != EEXIST) {
            throw_errno(fmt::format("add the default route on {}", name_));
        }
    }

private:
    ifreq make_request() const {
        ifreq request{};
        name_.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
        return request;
    }

    void call(unsigned long operation, ifreq &request, std::string_view what) const {
        if (::ioctl(socket_.get(), operation, &request) != 0) {
            throw_errno(fmt::format("{} of {}", what, name_));
        }
    }

    std::string name_;
    UniqueFd socket_;
};

} // namespace

void apply_network(const Identity &identity) {
    constexpr std::uint32_t loopback_address = 0x7f000001;
    constexpr std::uint32_t loopback_mask = 0xff000000;
    Link loopback("lo");
    loopback.set_address(Ipv4::from_number(loopback_address).to_in_addr(),
                         Ipv4::from_number(loopback_mask).to_in_addr());
    loopback.up();
    if (identity.address.empty()) {
        return;
    }
    const std::string name = link_with_mac(identity.mac);
    if (name.empty()) {
        fail(ErrorCode::NotFound, "no link has the MAC address {}", identity.mac);
    }
    constexpr unsigned bits = 32;
    const std::uint32_t mask =
        identity.prefix_length == 0 ? 0 : ~std::uint32_t{0} << (bits - identity.prefix_length);
    Link link(name);
    link.set_address(Ipv4::parse(identity.address).to_in_addr(),
                     Ipv4::from_number(mask).to_in_addr());
    link.up();
    if (!identity.gateway.empty()) {
        link.set_default_route(Ipv4::parse(identity.gateway).to_in_addr());
    }
}

} // namespace banger::identity
