#pragma once

#include "base/ipv4.hpp"
#include "base/unique_fd.hpp"

namespace banger::helper {

struct DnsSockets {
    UniqueFd udp;
    UniqueFd tcp;
};

/// UDP and listening TCP on the address, which need not exist yet (IP_FREEBIND). Close-on-exec,
/// non-blocking. Throws Error{Busy} when something is bound there, Error{NetworkUnavailable} else.
DnsSockets open_dns_sockets(const Ipv4 &address, std::uint16_t port = 53);

} // namespace banger::helper
