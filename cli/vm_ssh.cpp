#include "cli/sizing.hpp"
#include "cli/ssh.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_ready.hpp"

#include <unistd.h>

namespace banger::cli {
namespace {

constexpr std::chrono::seconds login_timeout{90};

int run(const std::string &name, const std::vector<std::string> &words) {
    Client client;
    VmInfo vm = find_vm(client, name);
    if (vm.state != "running" && vm.state != "starting") {
        fail(ErrorCode::InvalidState, "the VM '{0}' is {1}: `banger vm start {0}` starts it",
             vm.name, vm.state);
    }
    vm = wait_until_ready(client, vm.path, Readiness::Session, login_timeout);
    if (!vm.login_ready) {
        fail(ErrorCode::Unsupported,
             "the VM '{0}' runs no sshd: use `banger vm exec -t {0} -- sh` instead", vm.name);
    }
    const bool terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
    return run_ssh(client, ssh_command(ssh_files(load_config()), vm, quote_words(words), terminal));
}

} // namespace

void add_vm_ssh(CLI::App &vm, Context &context) {
    const auto name = std::make_shared<std::string>();
    CLI::App *verb = vm.add_subcommand(
        "ssh", "Open a shell in a VM by ssh, or run the words after its name there");
    verb->add_option("VM", *name, "Its name")->type_name(kind::vm)->required();
    verb->prefix_command();
    verb->callback([name, verb, &context] {
        std::vector<std::string> words = verb->remaining();
        if (context.command) {
            words.insert(words.end(), context.command->begin(), context.command->end());
        }
        context.action = [name, words] { return run(*name, words); };
    });
}

} // namespace banger::cli
