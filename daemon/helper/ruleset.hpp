#pragma once

#include "daemon/helper/segment.hpp"

#include <string>
#include <vector>

/// The firewall as text for libnftables (nft(8)). Pure: what is in the kernel follows from its
/// links alone. Each script is one transaction that replaces what was there.
namespace banger::helper {

/// The tables `bridge banger_N` and `inet banger_N` of one user (docs/security.md has the policy).
/// `uplinks` are the links by which guests with NAT may leave.
std::string segment_rules(const Segment &segment, const std::vector<std::string> &uplinks);

/// Removes both; does nothing where they are not there.
std::string remove_segment_rules(std::uint32_t number);

/// The table `inet banger_uplinks`: forwarding, which NAT needs on these links, turns the host into
/// a router for guests, and for nobody else. Empty: no table.
std::string uplink_rules(const std::vector<std::string> &opened);

} // namespace banger::helper
