#include "daemon/helper/tap.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace banger::helper {
namespace {

[[noreturn]] void refuse(const std::string &what, const std::string &name) {
    const int error = errno;
    fail(ErrorCode::NetworkUnavailable, "could not {} the tap {}: {}", what, name,
         std::strerror(error)); // NOLINT(concurrency-mt-unsafe): one thread
}

} // namespace

NewTap::NewTap(Links &links, const std::string &name, const LinkLabel &label)
    : links_(links), name_(name) {
    try {
        device_ = open_file("/dev/net/tun", O_RDWR);
    } catch (const Error &e) {
        throw Error(ErrorCode::NetworkUnavailable, e.what());
    }
    ifreq request{};
    if (name.size() >= sizeof request.ifr_name) {
        fail(ErrorCode::InvalidArgument, "the tap name {} is too long", name);
    }
    std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(device_.get(), TUNSETIFF, &request) != 0) {
        refuse("make", name);
    }
    if (ioctl(device_.get(), TUNSETOWNER, static_cast<unsigned long>(label.owner)) != 0) {
        refuse("give away", name);
    }
    const auto made = links.find(name);
    if (!made) {
        fail(ErrorCode::NetworkUnavailable, "the tap {} has vanished; try again", name);
    }
    state_ = *made;
    links.set_alias(state_, label);
}

void NewTap::attach(int bridge) {
    links_.disable_ipv6(state_);
    links_.change(
        state_.index,
        [&](rtnl_link *changes) {
            rtnl_link_set_master(changes, bridge);
            rtnl_link_set_flags(changes, IFF_UP);
        },
        fmt::format("put the tap {} on its bridge", name_));
}

void NewTap::keep() {
    if (ioctl(device_.get(), TUNSETPERSIST, 1UL) != 0) {
        refuse("keep", name_);
    }
}

} // namespace banger::helper
