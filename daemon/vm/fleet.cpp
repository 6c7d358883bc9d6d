#include "daemon/vm/fleet.hpp"

#include "base/log.hpp"
#include "daemon/vm/ssh_files.hpp"

namespace banger::vm {
namespace {

constexpr std::string_view bridge_fact = "network.bridge";
constexpr std::string_view gateway_fact = "network.gateway";
constexpr std::string_view domain_fact = "network.domain";

std::optional<net::Network> remembered_network(store::Store &store) {
    const auto bridge = store.fact(bridge_fact);
    const auto gateway = store.fact(gateway_fact);
    const auto domain = store.fact(domain_fact);
    if (!bridge || !gateway || !domain) {
        return std::nullopt;
    }
    return net::Network{*bridge, Ipv4::parse(*gateway), 24, *domain};
}

} // namespace

Fleet::Fleet(Services &services)
    : services_(services), network_(remembered_network(services.store)) {}

Vm &Fleet::add(store::VmRecord record) {
    const VmName name = record.name;
    auto vm = std::make_unique<Vm>(services_, std::move(record), [this, name] { on_change(name); });
    Vm &added = *(vms_[name] = std::move(vm));
    services_.units.watch(name);
    for (const auto &observer : observers_) {
        observer.added(view(added));
    }
    return added;
}

void Fleet::remove(const VmName &name) {
    services_.units.unwatch(name);
    if (const auto node = vms_.extract(name)) {
        for (const auto &observer : observers_) {
            observer.removed(name.str());
        }
    }
}

Vm *Fleet::find(const VmName &name) {
    const auto found = vms_.find(name);
    return found == vms_.end() ? nullptr : found->second.get();
}

Vm &Fleet::get(const VmName &name) {
    if (Vm *vm = find(name)) {
        return *vm;
    }
    fail(ErrorCode::NotFound, "there is no VM '{}': 'banger vm list -a' shows those there are",
         name.str());
}

std::vector<Vm *> Fleet::all() {
    std::vector<Vm *> all;
    for (const auto &[name, vm] : vms_) {
        all.push_back(vm.get());
    }
    return all;
}

void Fleet::set_network(const net::Network &network) {
    const bool changed = network_ != network;
    if (changed) {
        services_.store.set_fact(bridge_fact, network.bridge);
        services_.store.set_fact(gateway_fact, network.gateway.str());
        services_.store.set_fact(domain_fact, network.domain);
        network_ = network;
    }
    for (const auto &observer : observers_) {
        observer.network(network);
    }
    if (changed) {
        for (const auto &[name, vm] : vms_) {
            on_change(name);
        }
        refresh_ssh_files();
    }
}

void Fleet::refresh_ssh_files() {
    std::vector<KnownHost> hosts;
    for (const auto &[name, vm] : vms_) {
        const View seen = view(*vm);
        hosts.push_back({name, seen.host_name, seen.ip_address});
    }
    try {
        write_ssh_files(services_.paths, services_.config(), hosts);
    } catch (const Error &e) {
        log::warning(fmt::format("could not write the ssh files: {}, ignoring", e.what()));
    }
}

void Fleet::on_change(const VmName &name) {
    if (const Vm *vm = find(name)) {
        for (const auto &observer : observers_) {
            observer.changed(view(*vm));
        }
    }
}

} // namespace banger::vm
