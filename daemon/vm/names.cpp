#include "daemon/vm/names.hpp"

#include "base/log.hpp"

namespace banger::vm {

Names::Names(VmManager &manager, resolved::Zone &zone) : manager_(manager), zone_(zone) {
    if (manager.network()) {
        use(*manager.network());
    }
    manager.observe({[this](const View &view) { show(view); },
                     [this](const View &view) { show(view); },
                     [this](const std::string &name) { forget(name); },
                     [this](const net::Network &network) { use(network); }});
}

void Names::use(const net::Network &network) {
    if (zone_.bridge() == network.gateway && zone_.domain() == network.domain) {
        return;
    }
    zone_.clear();
    shown_.clear();
    zone_.set_network(network.domain, network.gateway);
    for (const View &view : manager_.list()) {
        show(view);
    }
}

void Names::forget(const std::string &name) {
    if (shown_.erase(name) != 0) {
        zone_.remove(VmName(name));
    }
}

void Names::show(const View &view) {
    // From the start on, so that the name answers when the guest does.
    const bool up = view.state == State::Running || view.state == State::Starting;
    const Shown now{view.ip_address, view.nat};
    const auto before = shown_.find(view.name);
    if (!up || view.ip_address.empty()) {
        forget(view.name);
        return;
    }
    if (before != shown_.end() && before->second == now) {
        return;
    }
    try {
        zone_.set(VmName(view.name), Ipv4::parse(view.ip_address), view.nat);
        shown_[view.name] = now;
    } catch (const Error &e) {
        log::warning(fmt::format("no name for '{}': {}", view.name, e.what()));
    }
}

} // namespace banger::vm
