#pragma once

#include "cli/vm_info.hpp"
#include "daemon/config/config.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace banger::cli {

/// What ssh needs to know of banger.
struct SshFiles {
    std::filesystem::path key;
    std::filesystem::path known_hosts; ///< kept by bangerd: the keys that it made for the VMs
    std::filesystem::path banger;      ///< this program
};

SshFiles ssh_files(const config::Config &config);

/// Whether there is an ssh in PATH.
bool has_ssh();

/// ssh's command line for a session through the VM's channel: no address and no route is needed,
/// and only the key that bangerd made for this VM is taken. `remote_command` is for the guest's
/// shell; empty: a login shell.
std::vector<std::string> ssh_command(const SshFiles &files, const VmInfo &vm,
                                     const std::string &remote_command, bool terminal);

/// The words as one line that a shell splits into the same words again: ssh joins what it is given
/// with spaces.
std::string quote_words(const std::vector<std::string> &words);

/// A remote command that makes the login shell start in `directory`.
std::string shell_in(const std::string &directory);

/// Runs ssh in the foreground; the result is its exit status. SIGTERM and SIGHUP end it.
int run_ssh(Client &client, const std::vector<std::string> &argv);

} // namespace banger::cli
