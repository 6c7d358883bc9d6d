#pragma once

#include "base/ipv4.hpp"

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/netconf.h>
#include <netlink/route/route.h>

#include <memory>
#include <string_view>

/// libnl's handles, owned, and its errors as Error.
namespace banger::helper::nl {

template <auto release>
struct Release {
    template <typename T>
    void operator()(T *handle) const noexcept {
        release(handle);
    }
};

using Socket = std::unique_ptr<nl_sock, Release<nl_socket_free>>;
using Cache = std::unique_ptr<nl_cache, Release<nl_cache_free>>;
using Address = std::unique_ptr<nl_addr, Release<nl_addr_put>>;
using Link = std::unique_ptr<rtnl_link, Release<rtnl_link_put>>;
using LinkAddress = std::unique_ptr<rtnl_addr, Release<rtnl_addr_put>>;
using NetConf = std::unique_ptr<rtnl_netconf, Release<rtnl_netconf_put>>;

/// Throws Error{NetworkUnavailable} "what: libnl's text" when `result` is a failure (below 0).
void check(int result, std::string_view what);
/// Returns the handle; throws as check() when there is none.
template <typename T>
T *check(T *handle, std::string_view what) {
    if (handle == nullptr) {
        check(-NLE_NOMEM, what);
    }
    return handle;
}

/// A connected NETLINK_ROUTE socket.
Socket connect();

Link new_link();
Address to_address(const Ipv4Prefix &prefix);
/// "06:00:ac:10:00:01"
Address hardware_address(std::string_view text);

/// Of an AF_INET address; 0.0.0.0/0 for the null address, which libnl has for a default route.
Ipv4Prefix to_prefix(nl_addr *address) noexcept;

/// Calls `visit(T *)` for each object of a cache.
template <typename T, typename Visit>
void for_each(const Cache &cache, Visit visit) {
    for (nl_object *object = nl_cache_get_first(cache.get()); object != nullptr;
         object = nl_cache_get_next(object)) {
        // libnl's objects are nl_object by their first member, as its own macros have it.
        visit(reinterpret_cast<T *>(object));
    }
}

} // namespace banger::helper::nl
