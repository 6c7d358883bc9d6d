#include "cli/vm_session.hpp"

#include "cli/exec_session.hpp"
#include "cli/sizing.hpp"
#include "cli/ssh.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace banger::cli {

int run_shell(Client &client, const VmInfo &vm, const std::string &directory) {
    const bool terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
    if (vm.login_ready && has_ssh()) {
        return run_ssh(client, ssh_command(ssh_files(load_config()), vm,
                                           directory.empty() ? "" : shell_in(directory), terminal));
    }
    ExecRequest request;
    request.terminal = terminal;
    request.working_directory = directory;
    const ExecResult result = run_in_guest(client, vm.path, request);
    return result.status;
}

} // namespace banger::cli
