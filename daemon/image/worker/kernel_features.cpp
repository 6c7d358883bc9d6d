#include "daemon/image/worker/kernel_features.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>

namespace banger::image {
namespace {

enum class Need {
    Boot,    ///< no VM starts without it
    Channel, ///< for one of the two VMMs
    Wish,    ///< a VM runs without it
};

struct Feature {
    std::string_view module;
    std::string_view option; ///< of the kernel's configuration
    Need need;
};

constexpr auto features = std::to_array<Feature>({
    {"virtio_mmio", "CONFIG_VIRTIO_MMIO", Need::Boot},
    {"virtio_blk", "CONFIG_VIRTIO_BLK", Need::Boot},
    {"virtio_console", "CONFIG_VIRTIO_CONSOLE", Need::Channel},
    {"virtio_net", "CONFIG_VIRTIO_NET", Need::Boot},
    {"virtio_rng", "CONFIG_HW_RANDOM_VIRTIO", Need::Wish},
    {"overlay", "CONFIG_OVERLAY_FS", Need::Boot},
    {"ext4", "CONFIG_EXT4_FS", Need::Boot},
    {"vsock", "CONFIG_VSOCKETS", Need::Channel},
    {"vmw_vsock_virtio_transport", "CONFIG_VIRTIO_VSOCKETS", Need::Channel},
    // Docker: its networks, and what iptables of today's Debian makes of its rules.
    {"bridge", "CONFIG_BRIDGE", Need::Wish},
    {"br_netfilter", "CONFIG_BRIDGE_NETFILTER", Need::Wish},
    {"veth", "CONFIG_VETH", Need::Wish},
    {"nf_nat", "CONFIG_NF_NAT", Need::Wish},
    {"nf_tables", "CONFIG_NF_TABLES", Need::Wish},
    {"nft_chain_nat", "CONFIG_NFT_NAT", Need::Wish},
    {"nft_compat", "CONFIG_NFT_COMPAT", Need::Wish},
    {"xt_MASQUERADE", "CONFIG_NETFILTER_XT_TARGET_MASQUERADE", Need::Wish},
    {"xt_addrtype", "CONFIG_NETFILTER_XT_MATCH_ADDRTYPE", Need::Wish},
    {"xt_conntrack", "CONFIG_NETFILTER_XT_MATCH_CONNTRACK", Need::Wish},
});

constexpr std::size_t boot_count = 9;
constexpr auto boot_names = [] {
    std::array<std::string_view, boot_count> names{};
    for (std::size_t i = 0; i < boot_count; ++i) {
        names[i] = features[i].module;
    }
    return names;
}();
static_assert(boot_names.back() == "vmw_vsock_virtio_transport");

} // namespace

ModuleNames builtin_by_config(std::string_view config) {
    ModuleNames names;
    for (const Feature &feature : features) {
        const std::string line = fmt::format("{}=y\n", feature.option);
        const auto at = config.find(line);
        if (at != std::string_view::npos && (at == 0 || config[at - 1] == '\n')) {
            names.emplace(feature.module);
        }
    }
    return names;
}

std::span<const std::string_view> boot_modules() {
    return boot_names;
}

std::vector<std::string> missing_features(const KernelFeatures &kernel) {
    std::vector<std::string> missing;
    std::string fatal;
    for (const Feature &feature : features) {
        if (!kernel.lacks(feature.module)) {
            continue;
        }
        missing.emplace_back(feature.module);
        if (feature.need == Need::Boot) {
            fatal +=
                fmt::format("{}{} ({})", fatal.empty() ? "" : ", ", feature.module, feature.option);
        }
    }
    if (!fatal.empty()) {
        fail(ErrorCode::Unsupported,
             "the kernel has neither built in nor as a module what every VM needs: {}", fatal);
    }
    const bool firecracker = !kernel.lacks("vsock") && !kernel.lacks("vmw_vsock_virtio_transport");
    if (kernel.lacks("virtio_console") && !firecracker) {
        fail(ErrorCode::Unsupported,
             "the kernel has neither virtio_console (CONFIG_VIRTIO_CONSOLE), by which banger "
             "reaches a guest in QEMU, nor vmw_vsock_virtio_transport (CONFIG_VIRTIO_VSOCKETS), by "
             "which it does in Firecracker");
    }
    return missing;
}

} // namespace banger::image
