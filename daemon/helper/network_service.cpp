#include "daemon/helper/network_service.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "daemon/helper/bridge.hpp"
#include "daemon/helper/network_config.hpp"
#include "daemon/helper/ruleset.hpp"
#include "daemon/helper/tap.hpp"
#include "daemon/helper/user_name.hpp"
#include "daemon/net/guest_link.hpp"

#include <net/if.h>

#include <algorithm>
#include <utility>

namespace banger::helper {
namespace {

std::vector<std::string> names_of(const std::vector<LinkState> &links) {
    std::vector<std::string> names;
    names.reserve(links.size());
    for (const LinkState &link : links) {
        names.push_back(link.name);
    }
    return names;
}

bool any_nat(const std::vector<Segment> &segments) {
    return std::any_of(segments.begin(), segments.end(),
                       [](const Segment &segment) { return segment.any_nat(); });
}

} // namespace

NetworkService::NetworkService(EventLoop &loop, Settings settings)
    : loop_(loop), settings_(std::move(settings)), pool_(settings_.state / "subnets.json"),
      forwarding_(links_, settings_.runtime / "forwarding.json") {
    try {
        for (const Segment &segment : segments_of(links_.all())) {
            load_rules(segment);
        }
        refresh(std::nullopt);
    } catch (const Error &e) {
        // Whoever asks for something is told; who only asks what there is gets an answer.
        log::warning(fmt::format("could not load the rules of what is there: {}", e.what()));
    }
}

UserNetwork NetworkService::ensure_network(uid_t owner) {
    const Subnet subnet = allocate(owner);
    UndoList undo;
    raise_network(subnet, undo);
    undo.commit();
    return network_of(subnet);
}

Ipv4 NetworkService::check_address(uid_t owner, const std::string &text) const {
    const Ipv4 address = Ipv4::parse(text);
    const Subnet subnet = subnet_of(owner);
    const auto host = address.octets[3];
    if (!subnet.prefix.contains(address) || host < 2 || host > 254) {
        fail(ErrorCode::InvalidArgument,
             "the address {} is not for a guest of uid {}; those are {}.2 to .254", text, owner,
             subnet.prefix.address.str().substr(0, subnet.prefix.address.str().rfind('.')));
    }
    return address;
}

Guest NetworkService::create_tap(uid_t owner, const Ipv4 &address, bool allow_host) {
    const Subnet subnet = subnet_of(owner);
    const std::string name = net::tap_name(subnet.number, address);
    UndoList undo;
    const LinkState bridge = raise_network(subnet, undo);
    LinkLabel label{owner, address, allow_host};
    undo.add("load rules", [this, subnet] { refresh(subnet.number); });
    if (links_.find(name)) {
        const LinkState tap = own_link(subnet, name);
        const LinkLabel former = LinkLabel::parse(tap.alias).value();
        label.nat = former.nat;
        undo.add("label " + name, [this, tap, former] { links_.set_alias(tap, former); });
        links_.set_alias(tap, label);
        refresh(subnet.number);
    } else {
        NewTap tap(links_, name, label);
        // Rules first: not one frame passes without them.
        refresh(subnet.number);
        tap.attach(bridge.index);
        tap.keep();
    }
    undo.commit();
    return {name, address, allow_host, label.nat};
}

Guest NetworkService::check_tap(uid_t owner, const std::string &tap) const {
    const Subnet subnet = subnet_of(owner);
    const auto label = LinkLabel::parse(own_link(subnet, tap).alias);
    return {tap, label->address, label->allow_host, label->nat};
}

void NetworkService::release_tap(uid_t owner, const std::string &tap) {
    const auto subnet = pool_.find(owner);
    if (!net::parse_tap_name(tap)) {
        fail(ErrorCode::InvalidArgument, "'{}' is not the name of a tap of banger's", tap);
    }
    if (!subnet || (net::parse_tap_name(tap)->subnet == subnet->number && !links_.find(tap))) {
        return;
    }
    links_.remove(own_link(*subnet, tap));
    if (const auto segment = segment_of(*subnet); segment && segment->guests.empty()) {
        remove_segment(*segment);
    }
    refresh(subnet->number);
}

void NetworkService::set_nat(uid_t owner, const std::string &tap, bool on) {
    const Subnet subnet = subnet_of(owner);
    const LinkState link = own_link(subnet, tap);
    const LinkLabel former = LinkLabel::parse(link.alias).value();
    LinkLabel label = former;
    label.nat = on;
    UndoList undo;
    undo.add("switch NAT back", [this, subnet, link, former] {
        links_.set_alias(link, former);
        refresh(subnet.number);
    });
    links_.set_alias(link, label);
    refresh(subnet.number);
    undo.commit();
}

DnsSockets NetworkService::open_dns_sockets(uid_t owner) {
    return helper::open_dns_sockets(allocate(owner).gateway());
}

std::optional<UserNetwork> NetworkService::describe(uid_t owner) const {
    const auto subnet = pool_.find(owner);
    return subnet ? std::optional{network_of(*subnet)} : std::nullopt;
}

void NetworkService::remove_all(uid_t owner) {
    const auto subnet = pool_.find(owner);
    if (!subnet) {
        return;
    }
    if (const auto segment = segment_of(*subnet)) {
        remove_segment(*segment);
    }
    refresh(std::nullopt);
}

Subnet NetworkService::allocate(uid_t owner) {
    if (auto known = pool_.find(owner)) {
        return *known;
    }
    const NetworkConfig config = NetworkConfig::load(settings_.config);
    Subnet subnet =
        pool_.allocate(owner, user_name_of(owner), config.pool, occupied_networks(links_));
    log::notice(fmt::format("uid {} has the subnet {} from now on", owner, subnet.prefix.str()));
    return subnet;
}

Subnet NetworkService::subnet_of(uid_t owner) const {
    auto subnet = pool_.find(owner);
    if (!subnet) {
        fail(ErrorCode::InvalidState, "uid {} has no network yet; call EnsureNetwork first", owner);
    }
    return *subnet;
}

UserNetwork NetworkService::network_of(const Subnet &subnet) const {
    const NetworkConfig config = NetworkConfig::load(settings_.config);
    UserNetwork network{subnet, domain_of(subnet, user_name_of(subnet.owner), config), 0, {}};
    if (const auto segment = segment_of(subnet)) {
        network.bridge = segment->bridge;
        network.guests = segment->guests;
    }
    return network;
}

std::optional<Segment> NetworkService::segment_of(const Subnet &subnet) const {
    for (Segment &segment : segments_of(links_.all())) {
        if (segment.number == subnet.number && segment.owner == subnet.owner) {
            return std::move(segment);
        }
    }
    return std::nullopt;
}

LinkState NetworkService::own_link(const Subnet &subnet, const std::string &tap) const {
    const auto name = net::parse_tap_name(tap);
    if (!name) {
        fail(ErrorCode::InvalidArgument, "'{}' is not the name of a tap of banger's", tap);
    }
    if (name->subnet != subnet.number) {
        fail(ErrorCode::NotAuthorized, "the tap {} is not one of uid {}", tap, subnet.owner);
    }
    const auto link = links_.find(tap);
    if (!link) {
        fail(ErrorCode::NotFound, "there is no tap {}", tap);
    }
    const auto label = LinkLabel::parse(link->alias);
    if (link->kind != "tun" || !label || label->owner != subnet.owner ||
        !subnet.prefix.contains(label->address) || label->address.octets[3] != name->host) {
        fail(ErrorCode::NotAuthorized, "the link {} is not a tap that banger made for uid {}", tap,
             subnet.owner);
    }
    return *link;
}

LinkState NetworkService::raise_network(const Subnet &subnet, UndoList &undo) {
    undo.add("load rules", [this, subnet] {
        if (!segment_of(subnet)) {
            nftables_.run(remove_segment_rules(subnet.number));
        }
    });
    LinkState bridge = ensure_bridge(links_, subnet, undo);
    if ((bridge.flags & IFF_UP) == 0) {
        refresh(subnet.number);
        links_.raise(bridge);
    }
    return bridge;
}

void NetworkService::load_rules(const Segment &segment) {
    nftables_.run(segment_rules(segment, uplinks_));
}

// The links first: what is left after a failure is then still guarded.
void NetworkService::remove_segment(const Segment &segment) {
    for (const Guest &guest : segment.guests) {
        if (const auto tap = links_.find(guest.tap)) {
            links_.remove(*tap);
        }
    }
    if (const auto bridge = links_.find(net::bridge_name(segment.number))) {
        links_.remove(*bridge);
    }
    nftables_.run(remove_segment_rules(segment.number));
}

void NetworkService::refresh(std::optional<std::uint32_t> changed) {
    const std::vector<LinkState> links = links_.all();
    const std::vector<Segment> segments = segments_of(links);
    const bool nat = any_nat(segments);
    if (nat && !monitor_) {
        monitor_.emplace(loop_, [this] { on_routes_changed(); });
    }
    const std::vector<LinkState> now = nat ? uplinks(links_) : std::vector<LinkState>{};
    const std::vector<std::string> before = std::exchange(uplinks_, names_of(now));
    const bool moved = before != uplinks_;
    for (const Segment &segment : segments) {
        if (segment.number == changed || (moved && segment.any_nat())) {
            load_rules(segment);
        }
    }
    for (const LinkState &link : links) {
        const auto segment = std::find_if(segments.begin(), segments.end(), [&](const auto &each) {
            return each.bridge == link.index;
        });
        if (segment != segments.end() && link.forwarding != segment->any_nat()) {
            links_.set_forwarding(link, segment->any_nat());
        }
    }
    guard_uplinks(now);
    if (!nat) {
        monitor_.reset();
    }
}

// The rule that confines forwarding comes before forwarding, and goes after it.
void NetworkService::guard_uplinks(const std::vector<LinkState> &uplinks) {
    std::vector<std::string> guarded = opened_.value_or(std::vector<std::string>{});
    const auto count = guarded.size();
    for (const LinkState &link : uplinks) {
        if (!link.forwarding && std::count(guarded.begin(), guarded.end(), link.name) == 0) {
            guarded.push_back(link.name);
        }
    }
    if (guarded.size() != count) {
        nftables_.run(uplink_rules(guarded));
        opened_ = guarded;
    }
    std::vector<std::string> opened = forwarding_.require(uplinks);
    if (opened != opened_) {
        nftables_.run(uplink_rules(opened));
        opened_ = std::move(opened);
    }
}

void NetworkService::on_routes_changed() {
    try {
        refresh(std::nullopt);
    } catch (const Error &e) {
        log::warning(fmt::format("could not follow a change of the host's routes: {}", e.what()));
    }
}

} // namespace banger::helper
