#pragma once

#include "daemon/vmm/machine.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace banger::vmm {

/// A file of the host that the VMM sees under a name in its own directory.
struct NamedFile {
    std::string name;
    std::filesystem::path source;
    bool read_only = true;

    bool operator==(const NamedFile &) const = default;
};

/// A file that is written into the VMM's directory before it starts.
struct WrittenFile {
    std::string name;
    std::string content;
};

/// How the byte stream of the guest's channel comes to be.
enum class ChannelOpening {
    GuestDials,  ///< we listen on `channel_socket` before the VMM starts
    HostConnects ///< the VMM listens on `channel_socket`
};

/// How to start one VMM: a value. Every path in `arguments` is relative to the VMM's directory,
/// where its sockets are also: nothing there tells one VM of a shape from another.
struct Launch {
    std::filesystem::path binary;
    std::vector<std::string> arguments;
    std::vector<NamedFile> files;
    std::vector<WrittenFile> written;
    std::vector<std::filesystem::path> devices; ///< "/dev/kvm", "/dev/net/tun"
    /// The tap is opened by us and given as descriptor `tap_descriptor`; else (Firecracker) by the
    /// VMM, by name, which needs the host's network namespace.
    bool tap_by_descriptor = false;
    ChannelOpening opening = ChannelOpening::HostConnects;
    std::string channel_socket; ///< name in the VMM's directory
    /// HostConnects: a file that appears in the VMM's directory once `channel_socket` is listening.
    std::string channel_sign;
};

constexpr int tap_descriptor = 3;
/// Guest → host port of the channel on vsock (docs/channel.md).
constexpr std::uint32_t channel_port = 1024;

/// Names in the VMM's directory.
constexpr const char *kernel_name = "kernel";
constexpr const char *initrd_name = "initrd";

/// By the driver of `machine.kind`. `tsc_khz` as from TscMeter; used with software emulation only.
Launch plan_launch(const Machine &machine, std::uint32_t tsc_khz);

/// The parts that both drivers share.
std::vector<NamedFile> files_of(const Machine &machine);
std::string disk_name(const Disk &disk);

} // namespace banger::vmm
