#pragma once

#include "base/ipv4.hpp"

#include <filesystem>
#include <string>

namespace banger::helper {

/// What the administrator decides, /etc/banger/network.toml:
///
///     [network]
///     pool = "172.16.0.0/12"        # users' subnets are /24s of it, the first free one first
///     vm_domain_owner = "alice"     # whose machines are NAME.vm; default: who came first
struct NetworkConfig {
    Ipv4Prefix pool{Ipv4{{172, 16, 0, 0}}, 12};
    std::string vm_domain_owner;

    /// The defaults where there is no such file. Throws Error{InvalidArgument} that names file,
    /// line and key.
    static NetworkConfig load(const std::filesystem::path &file);
};

} // namespace banger::helper
