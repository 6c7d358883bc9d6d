#pragma once

#include "daemon/vm/services.hpp"
#include "daemon/vm/vm.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace banger::vm {

/// The VMs that are there, and what all of them share: the user's network and the ssh files.
class Fleet {
public:
    struct Observer {
        std::function<void(const View &)> added;
        std::function<void(const View &)> changed;
        std::function<void(const std::string &name)> removed;
        /// The network is up; also when nothing about it has changed.
        std::function<void(const net::Network &)> network;
    };

    explicit Fleet(Services &services);
    Fleet(const Fleet &) = delete;
    Fleet &operator=(const Fleet &) = delete;

    void observe(Observer observer) { observers_.push_back(std::move(observer)); }

    /// Puts a VM whose record is in the store among the VMs.
    Vm &add(store::VmRecord record);
    void remove(const VmName &name);
    Vm *find(const VmName &name);
    /// Throws Error{NotFound}.
    Vm &get(const VmName &name);
    /// Sorted by name.
    std::vector<Vm *> all();
    View view(const Vm &vm) const { return vm.view(network_); }

    /// The user's network as the helper last told it; none before the first start of a VM.
    const std::optional<net::Network> &network() const noexcept { return network_; }
    void set_network(const net::Network &network);

    /// Writes known_hosts and ssh_config anew; a failure is logged.
    void refresh_ssh_files();

private:
    void on_change(const VmName &name);

    Services &services_;
    std::optional<net::Network> network_;
    std::map<VmName, std::unique_ptr<Vm>> vms_;
    std::vector<Observer> observers_;
};

} // namespace banger::vm
