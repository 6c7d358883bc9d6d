#pragma once

#include "base/unique_fd.hpp"
#include "daemon/helper/links.hpp"

namespace banger::helper {

/// A tap that is being made. It exists as long as this does, and for good after keep(); until then
/// nobody but its maker can open it.
class NewTap {
public:
    /// /dev/net/tun, TUNSETIFF with IFF_TAP | IFF_NO_PI | IFF_VNET_HDR (what Firecracker and QEMU
    /// open), owned by the label's uid. Throws Error{NetworkUnavailable}.
    NewTap(Links &links, const std::string &name, const LinkLabel &label);

    /// Onto the bridge, without IPv6, up.
    void attach(int bridge);
    void keep();

private:
    Links &links_;
    std::string name_;
    UniqueFd device_;
    LinkState state_;
};

} // namespace banger::helper
