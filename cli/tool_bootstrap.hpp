#pragma once

#include "cli/client.hpp"
#include "cli/workspace.hpp"

namespace banger::cli {

/// Where the guest logs it: "/root/.cache/banger/vm-run-tooling-NAME.log".
std::string tool_log(const Workspace &workspace);

/// Starts `mise install` in the guest, in the background, where the repository has a .mise.toml,
/// mise.toml or .tool-versions. Best effort: throws Error where it could not even be started.
void start_tool_bootstrap(Client &client, const sdbus::ObjectPath &vm, const Workspace &workspace);

} // namespace banger::cli
