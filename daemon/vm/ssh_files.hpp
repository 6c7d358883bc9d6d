#pragma once

#include "base/paths.hpp"
#include "daemon/config/config.hpp"
#include "daemon/vm/run_async.hpp"

#include <map>
#include <string>
#include <vector>

namespace banger::vm {

/// The key that `banger vm ssh` uses: `ssh_key_path` of the config, or banger's own.
std::filesystem::path user_key(const Paths &paths, const config::Config &config);

/// ssh-keygen's command line for a new Ed25519 key without a passphrase.
Command make_key_command(const std::filesystem::path &key, const std::string &comment);

/// Where a VM's host keys are: "ssh_host_ed25519_key" and "….pub".
std::filesystem::path host_keys_directory(const Paths &paths, const VmName &name);

/// The lines for /root/.ssh/authorized_keys. Throws Error{NotFound} that names the file which is
/// missing.
std::vector<std::string> authorized_keys(const Paths &paths, const config::Config &config);

/// File name to content, for /etc/ssh in the guest. Throws Error.
std::map<std::string, std::string> host_keys(const Paths &paths, const VmName &name);

struct KnownHost {
    VmName name;
    std::string host_name;  ///< "sandbox.vm"
    std::string ip_address; ///< may be empty
};

/// Paths::ssh()/known_hosts.
std::filesystem::path known_hosts_file(const Paths &paths);

/// Writes known_hosts (exactly these hosts, by the keys that were made for them) and
/// ~/.config/banger/ssh_config, each in one step. Throws Error.
void write_ssh_files(const Paths &paths, const config::Config &config,
                     const std::vector<KnownHost> &hosts);

} // namespace banger::vm
