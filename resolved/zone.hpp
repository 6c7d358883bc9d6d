#pragma once

#include "base/ipv4.hpp"
#include "base/names.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace banger::resolved {

/// Who asks, told by the source address of the query. The bridge's anti-spoofing rules make a
/// guest's address trustworthy.
enum class Client {
    Host,         ///< a process on this host
    Guest,        ///< a guest of this user without NAT: hears of nothing but our zones
    GuestWithNat, ///< a guest of this user that may also ask for the outside
    Stranger,     ///< anybody else: is told nothing
};

/// What this user's DNS names are: the running VMs, by name and by address. Plain data; a change is
/// visible in the next answer.
class Zone {
public:
    /// `domain` is "vm", or "alice.vm" for a later user of the host. Throws Error{InvalidArgument}
    /// unless it is "vm" or a host name below it.
    explicit Zone(std::string_view domain = "vm");

    /// What the network helper gave this user: the domain, and the address of the bridge, whose /24
    /// is the user's subnet (the reverse zone) and whose guests are ours. Until then only the host
    /// is answered. Throws Error{InvalidArgument} as the constructor; then nothing has changed.
    void set_network(std::string_view domain, Ipv4 bridge);

    /// Adds or replaces a running VM. A name has one address and an address one name: whatever else
    /// had either is forgotten. Throws Error{InvalidArgument} for an address outside the subnet,
    /// or the bridge's own.
    void set(const VmName &name, Ipv4 address, bool nat);
    /// A name that is not there is no error.
    void remove(const VmName &name) noexcept;
    void clear() noexcept;

    /// "sandbox.vm", without a final dot.
    std::string host_name(const VmName &name) const;
    const std::string &domain() const noexcept { return domain_; }
    std::optional<Ipv4> bridge() const noexcept { return bridge_; }
    std::size_t size() const noexcept { return by_name_.size(); }
    /// Grows with each change; the SOA's serial.
    std::uint32_t serial() const noexcept { return serial_; }

    /// `label` in lower case.
    std::optional<Ipv4> address_of(std::string_view label) const;
    /// The label of the VM that has the address; empty when there is none.
    std::string name_of(Ipv4 address) const;
    bool in_subnet(Ipv4 address) const noexcept;
    Client client(Ipv4 source) const;

private:
    struct Record {
        Ipv4 address;
        bool nat = false;
    };

    std::string domain_;
    std::optional<Ipv4> bridge_;
    std::map<std::string, Record, std::less<>> by_name_;
    std::map<Ipv4, std::string> by_address_;
    std::uint32_t serial_ = 1;
};

} // namespace banger::resolved
