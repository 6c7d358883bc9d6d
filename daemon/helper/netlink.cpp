#include "daemon/helper/netlink.hpp"

#include "base/error.hpp"

#include <cstring>
#include <string>

namespace banger::helper::nl {

void check(int result, std::string_view what) {
    if (result < 0) {
        fail(ErrorCode::NetworkUnavailable, "could not {}: {}", what, nl_geterror(result));
    }
}

Socket connect() {
    Socket socket(check(nl_socket_alloc(), "make a netlink socket"));
    check(nl_connect(socket.get(), NETLINK_ROUTE), "connect to rtnetlink");
    return socket;
}

Link new_link() {
    return Link(check(rtnl_link_alloc(), "make a link object"));
}

Address to_address(const Ipv4Prefix &prefix) {
    Address address(
        check(nl_addr_build(AF_INET, prefix.address.octets.data(), prefix.address.octets.size()),
              "make an address"));
    nl_addr_set_prefixlen(address.get(), static_cast<int>(prefix.length));
    return address;
}

Address hardware_address(std::string_view text) {
    nl_addr *address = nullptr;
    check(nl_addr_parse(std::string{text}.c_str(), AF_LLC, &address), "read a MAC address");
    return Address(address);
}

Ipv4Prefix to_prefix(nl_addr *address) noexcept {
    Ipv4 value;
    if (nl_addr_get_len(address) == value.octets.size()) {
        std::memcpy(value.octets.data(), nl_addr_get_binary_addr(address), value.octets.size());
    }
    return Ipv4Prefix::of(value, nl_addr_get_prefixlen(address));
}

} // namespace banger::helper::nl
