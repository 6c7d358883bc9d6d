#pragma once

#include "cli/client.hpp"
#include "cli/vm_info.hpp"

#include <string>

namespace banger::cli {

/// A login shell in the guest, in `directory` (empty: the home): by ssh where the guest has sshd
/// and this host ssh, else through the agent. The result is its exit status.
int run_shell(Client &client, const VmInfo &vm, const std::string &directory);

} // namespace banger::cli
