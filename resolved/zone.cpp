#include "resolved/zone.hpp"

#include "base/error.hpp"

namespace banger::resolved {

namespace {

constexpr unsigned subnet_bits = 24; // one /24 for each user

std::string checked_domain(std::string_view domain) {
    const auto refuse = [&] {
        fail(ErrorCode::InvalidArgument,
             "'{}' cannot be the domain of VMs; it must be 'vm' or a lower-case name below it, "
             "like 'alice.vm'",
             domain);
    };
    if (domain.size() > 128 || (domain != "vm" && !domain.ends_with(".vm"))) {
        refuse();
    }
    std::string_view rest = domain;
    while (!rest.empty()) {
        const auto dot = rest.find('.');
        try {
            VmName{rest.substr(0, dot)}; // the rules of a label are the same
        } catch (const Error &) {
            refuse();
        }
        rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    }
    return std::string{domain};
}

} // namespace

Zone::Zone(std::string_view domain) : domain_(checked_domain(domain)) {}

void Zone::set_network(std::string_view domain, Ipv4 bridge) {
    domain_ = checked_domain(domain);
    bridge_ = bridge;
    std::erase_if(by_name_, [this](const auto &entry) { return !in_subnet(entry.second.address); });
    std::erase_if(by_address_, [this](const auto &entry) { return !in_subnet(entry.first); });
    ++serial_;
}

void Zone::set(const VmName &name, Ipv4 address, bool nat) {
    if (!in_subnet(address) || address == bridge_) {
        fail(ErrorCode::InvalidArgument,
             "the VM '{}' cannot have the address {}: it is not one for a guest of this user's "
             "network",
             name.str(), address.str());
    }
    remove(name);
    if (const auto other = by_address_.find(address); other != by_address_.end()) {
        by_name_.erase(other->second);
    }
    by_address_.insert_or_assign(address, name.str());
    by_name_.insert_or_assign(name.str(), Record{address, nat});
    ++serial_;
}

void Zone::remove(const VmName &name) noexcept {
    if (const auto found = by_name_.find(name.str()); found != by_name_.end()) {
        by_address_.erase(found->second.address);
        by_name_.erase(found);
        ++serial_;
    }
}

void Zone::clear() noexcept {
    by_name_.clear();
    by_address_.clear();
    ++serial_;
}

std::string Zone::host_name(const VmName &name) const {
    return name.str() + "." + domain_;
}

std::optional<Ipv4> Zone::address_of(std::string_view label) const {
    const auto found = by_name_.find(label);
    return found == by_name_.end() ? std::nullopt : std::optional{found->second.address};
}

std::string Zone::name_of(Ipv4 address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? std::string{} : found->second;
}

bool Zone::in_subnet(Ipv4 address) const noexcept {
    return bridge_ && Ipv4Prefix::of(*bridge_, subnet_bits).contains(address);
}

Client Zone::client(Ipv4 source) const {
    constexpr std::uint8_t loopback = 127;
    if (source.octets[0] == loopback || source == bridge_) {
        return Client::Host;
    }
    if (!in_subnet(source)) {
        return Client::Stranger;
    }
    const auto name = by_address_.find(source);
    const bool nat = name != by_address_.end() && by_name_.find(name->second)->second.nat;
    return nat ? Client::GuestWithNat : Client::Guest;
}

} // namespace banger::resolved
