#include "cli/exec_session.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_ready.hpp"

#include <unistd.h>

#include <cstdlib>

namespace banger::cli {
namespace {

constexpr std::chrono::seconds agent_timeout{90};

struct Flags {
    std::string name;
    std::vector<std::string> environment;
    std::string working_directory;
    std::string user;
    bool terminal = false;
    bool no_terminal = false;
    bool interactive = false;
    bool no_input = false;
    bool detach = false;
};

// As docker exec has it: "NAME=VALUE", or "NAME" for our own value.
std::vector<std::string> environment_of(const Flags &flags) {
    std::vector<std::string> environment;
    for (const std::string &entry : flags.environment) {
        if (entry.find('=') != std::string::npos) {
            environment.push_back(entry);
        } else if (const char *value = std::getenv(entry.c_str()); value != nullptr) {
            environment.push_back(entry + "=" + value);
        }
    }
    return environment;
}

int run(const Flags &flags, const std::vector<std::string> &words) {
    Client client;
    VmInfo vm = find_vm(client, flags.name);
    if (vm.state != "running" && vm.state != "starting") {
        fail(ErrorCode::InvalidState, "the VM '{0}' is {1}: `banger vm start {0}` starts it",
             vm.name, vm.state);
    }
    if (vm.state == "starting") {
        vm = wait_until_ready(client, vm.path, Readiness::Agent, agent_timeout);
    }
    ExecRequest request;
    request.argv = words;
    request.environment = environment_of(flags);
    request.working_directory = flags.working_directory;
    request.user = flags.user;
    request.detach = flags.detach;
    request.pass_input = !flags.no_input;
    request.terminal =
        !flags.detach && !flags.no_terminal &&
        (flags.terminal || (is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)));
    return run_in_guest(client, vm.path, request).status;
}

} // namespace

void add_vm_exec(CLI::App &vm, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = vm.add_subcommand(
        "exec", "Run a program in a VM through its agent: needs no sshd and no network there");
    verb->footer("Example:\n  banger vm exec sandbox -- sh -c 'exit 42'");
    verb->add_option("VM", flags->name, "Its name")->type_name(kind::vm)->required();
    verb->add_option("-e,--env", flags->environment, "Environment: NAME=VALUE, or NAME for ours")
        ->type_name("NAME[=VALUE]")
        ->expected(1)
        ->take_all();
    verb->add_option("-w,--workdir", flags->working_directory, "Directory to run it in")
        ->type_name("DIR");
    verb->add_option("-u,--user", flags->user, "User to run it as (default: root)")
        ->type_name("USER");
    auto *terminal =
        verb->add_flag("-t,--tty", flags->terminal, "With a terminal (default: where we have one)");
    verb->add_flag("-T,--no-tty", flags->no_terminal, "Without one")->excludes(terminal);
    verb->add_flag("-i,--interactive", flags->interactive, "Pass standard input (the default)");
    verb->add_flag("-n,--no-stdin", flags->no_input, "Pass no standard input");
    verb->add_flag("-d,--detach", flags->detach,
                   "Leave it running in the background; its output goes to the VM's journal")
        ->excludes(terminal);
    verb->prefix_command();
    verb->callback([flags, verb, &context] {
        std::vector<std::string> words = verb->remaining();
        if (context.command) {
            words.insert(words.end(), context.command->begin(), context.command->end());
        }
        if (words.empty()) {
            throw CLI::ValidationError("there is no command: banger vm exec VM -- COMMAND");
        }
        context.failure_status = exit_status::own_failure;
        context.action = [flags, words] { return run(*flags, words); };
    });
}

} // namespace banger::cli
