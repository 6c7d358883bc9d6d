#pragma once

#include "cli/client.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/shape.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace banger::cli {

/// What --name, --image, --vcpu … say; empty: not said.
struct VmFlags {
    std::string name;
    std::string image;
    std::string kernel;
    std::optional<std::int64_t> vcpu;
    std::string memory;
    std::string disk_size;
    std::string system_overlay_size;
    bool nat = false;
    bool no_nat = false;
    bool allow_host = false;
};

/// A VM to be created, with nothing left open but its name and the kernel.
struct VmSpec {
    std::string name;
    std::string image;
    std::string kernel; ///< empty: the default one
    config::Shape shape;
    bool nat = false;
    bool allow_host = false;
};

/// Adds the flags; their help shows the defaults of this host and config.toml.
void add_vm_flags(CLI::App &verb, VmFlags &flags);

/// Throws Error that names the flag or the value.
VmSpec resolve(const VmFlags &flags, const config::Config &config, const config::HostSize &host);

/// The options of CreateVM.
Properties create_options(const VmSpec &spec);

/// "spec: 2 vCPU, 4 GiB memory, 8 GiB disk, image debian-bookworm, no NAT (--nat lets it out)"
std::string spec_line(const VmSpec &spec);

/// config.toml of this user.
config::Config load_config();

} // namespace banger::cli
