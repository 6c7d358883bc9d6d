#include "cli/tool_bootstrap.hpp"

#include "cli/exec_session.hpp"

#include <algorithm>
#include <array>

namespace banger::cli {
namespace {

constexpr std::array<std::string_view, 3> tool_files{".mise.toml", "mise.toml", ".tool-versions"};

// Runs in the guest: $1 is the repository, $2 the log.
constexpr const char *script = R"(mkdir -p "${2%/*}" && exec >"$2" 2>&1 </dev/null
PATH="$HOME/.local/bin:$PATH"
cd "$1" || exit
command -v mise >/dev/null || { echo "mise is not in this image"; exit 1; }
mise trust --all --yes && mise install --yes)";

} // namespace

std::string tool_log(const Workspace &workspace) {
    return fmt::format("/root/.cache/banger/vm-run-tooling-{}.log", workspace.name());
}

void start_tool_bootstrap(Client &client, const sdbus::ObjectPath &vm, const Workspace &workspace) {
    if (std::none_of(tool_files.begin(), tool_files.end(),
                     [&](std::string_view name) { return workspace.has_file(name); })) {
        return;
    }
    ExecRequest request;
    request.argv = {
        "sh", "-c", script, "tooling", workspace.guest_directory(), tool_log(workspace)};
    request.detach = true;
    run_in_guest(client, vm, request);
    print_notice(fmt::format("mise sets up the repository's tools in the background; its log is {}",
                             tool_log(workspace)));
}

} // namespace banger::cli
