#include "cli/command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace banger::cli {
namespace {

constexpr const char *introduction =
    "Disposable Debian machines in microVMs, with one command.\n\n"
    "  banger vm run                     a fresh machine, and a shell in it\n"
    "  banger vm run ./repo -- make test your repository in it, a command, its status\n";

// The verbs whose words after "--" are a program for the guest, not operands of ours.
bool takes_command(const std::vector<std::string> &arguments) {
    if (!arguments.empty() && arguments[0] == complete_verb) {
        return true;
    }
    return arguments.size() >= 2 && arguments[0] == "vm" &&
           (arguments[1] == "run" || arguments[1] == "exec" || arguments[1] == "ssh");
}

void add_vm_verbs(CLI::App &root, Context &context) {
    CLI::App *vm = root.add_subcommand("vm", "Create, run and manage VMs");
    vm->require_subcommand(1);
    add_vm_run(*vm, context);
    add_vm_create(*vm, context);
    add_vm_start(*vm, context);
    add_vm_stop(*vm, context);
    add_vm_restart(*vm, context);
    add_vm_kill(*vm, context);
    add_vm_delete(*vm, context);
    add_vm_list(*vm, context);
    add_vm_show(*vm, context);
    add_vm_ssh(*vm, context);
    add_vm_exec(*vm, context);
    add_vm_logs(*vm, context);
}

std::string first_line(const std::string &text) {
    return text.substr(0, text.find('\n'));
}

// Names of operands and values as they are, without what else CLI11 knows of them.
class HelpFormatter final : public CLI::Formatter {
public:
    HelpFormatter() { column_width(column); }

    std::string make_option_opts(const CLI::Option *option) const override {
        if (option->get_positional()) {
            return option->get_items_expected_max() > 1 ? "..." : "";
        }
        return option->get_items_expected_max() > 0 ? " " + option->get_type_name() : "";
    }

private:
    static constexpr std::size_t column = 34;
};

std::string explain(const CLI::App &root, const CLI::ParseError &error) {
    const CLI::App *app = &root;
    std::string command = "banger";
    while (!app->get_subcommands().empty()) {
        app = app->get_subcommands().front();
        command += " " + app->get_name();
    }
    std::string what = first_line(error.what());
    const bool has_verbs = app->get_require_subcommand_min() > 0;
    if (const auto rest = root.remaining(true); has_verbs && !rest.empty()) {
        what = fmt::format("there is no command '{} {}'", command, rest.front());
    } else if (has_verbs) {
        what = fmt::format("'{}' needs a command", command);
    }
    return fmt::format("{}; `{} --help` shows what there is", what, command);
}

int run_action(const Context &context) {
    try {
        return context.action();
    } catch (const Interrupted &interrupt) {
        return exit_status::of_signal(interrupt.signal_number);
    } catch (const std::exception &e) {
        print_error(e.what());
        return context.failure_status;
    }
}

} // namespace

std::unique_ptr<CLI::App> make_command_line(Context &context) {
    auto root = std::make_unique<CLI::App>(introduction, "banger");
    root->require_subcommand(1);
    root->set_help_flag("-h,--help", "Print this help and exit");
    root->set_version_flag("--version", "banger " BANGER_VERSION, "Print the version and exit");
    root->formatter(std::make_shared<HelpFormatter>());
    add_vm_verbs(*root, context);
    add_ps(*root, context);
    add_image(*root, context);
    add_kernel(*root, context);
    add_doctor(*root, context);
    add_ssh_config(*root, context);
    add_config(*root, context);
    add_daemon(*root, context);
    add_completion(*root, context);
    add_version(*root, context);
    add_stream(*root, context);
    return root;
}

int run_command_line(std::vector<std::string> arguments) {
    Context context;
    if (takes_command(arguments)) {
        if (const auto end = std::find(arguments.begin(), arguments.end(), "--");
            end != arguments.end()) {
            context.command.emplace(end + 1, arguments.end());
            arguments.erase(end, arguments.end());
        }
    }
    const auto root = make_command_line(context);
    try {
        // CLI11 takes them from the back.
        std::reverse(arguments.begin(), arguments.end());
        root->parse(arguments);
    } catch (const CLI::Success &success) {
        return root->exit(success, std::cout, std::cerr);
    } catch (const CLI::ParseError &e) {
        print_error(explain(*root, e));
        return exit_status::usage;
    }
    return run_action(context);
}

} // namespace banger::cli
