#pragma once

#include "cli/client.hpp"
#include "cli/workspace_archive.hpp"

#include <string>

namespace banger::cli {

/// Streams the workspace into `directory` of the guest, with progress. Throws Error or Interrupted;
/// what had arrived stays in the guest.
void send_workspace(Client &client, const sdbus::ObjectPath &vm, const WorkspaceArchive &archive,
                    const std::string &directory, const std::string &title);

} // namespace banger::cli
