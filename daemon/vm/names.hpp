#pragma once

#include "daemon/vm/vm_manager.hpp"
#include "resolved/zone.hpp"

#include <map>
#include <string>
#include <utility>

namespace banger::vm {

/// Keeps the zone as the running VMs are.
class Names {
public:
    /// All must outlive it, and it the manager's callbacks.
    Names(VmManager &manager, resolved::Zone &zone);
    Names(const Names &) = delete;
    Names &operator=(const Names &) = delete;

private:
    using Shown = std::pair<std::string, bool>; // address, NAT

    void show(const View &view);
    void forget(const std::string &name);
    void use(const net::Network &network);

    VmManager &manager_;
    resolved::Zone &zone_;
    std::map<std::string, Shown> shown_;
};

} // namespace banger::vm
