#include "base/paths.hpp"
#include "cli/artifacts.hpp"
#include "cli/doctor_services.hpp"
#include "cli/exec_session.hpp"
#include "cli/format.hpp"
#include "cli/jobs.hpp"
#include "cli/lingering.hpp"
#include "cli/sizing.hpp"
#include "cli/tool_bootstrap.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"
#include "cli/vm_ready.hpp"
#include "cli/vm_session.hpp"
#include "cli/workspace_listing.hpp"
#include "cli/workspace_sender.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace banger::cli {
namespace {

struct Flags {
    VmFlags vm;
    std::string path;
    std::string branch;
    std::string from;
    bool include_untracked = false;
    bool dry_run = false;
    bool remove = false;
    bool detach = false;
    bool json = false;
    std::string ready_timeout = "90s";
};

void check_combination(const Flags &flags, bool has_command) {
    if (flags.path.empty()) {
        const char *flag = !flags.branch.empty()     ? "--branch"
                           : !flags.from.empty()     ? "--from"
                           : flags.include_untracked ? "--include-untracked"
                           : flags.dry_run           ? "--dry-run"
                                                     : nullptr;
        if (flag != nullptr) {
            throw CLI::ValidationError(fmt::format("{} needs a PATH to a git repository", flag));
        }
    }
    if (!flags.from.empty() && flags.branch.empty()) {
        throw CLI::ValidationError("--from needs --branch, the name of the new branch");
    }
    if (flags.detach && (flags.remove || has_command)) {
        throw CLI::ValidationError(
            fmt::format("--detach excludes {}", flags.remove ? "--rm" : "a command"));
    }
    if (flags.json && !flags.dry_run) {
        throw CLI::ValidationError("--json goes with --dry-run");
    }
}

// No VMM was started: there is no console to look at, and no disk worth keeping.
bool is_refusal(ErrorCode code) {
    switch (code) {
    case ErrorCode::NotAuthorized:
    case ErrorCode::NetworkUnavailable:
    case ErrorCode::Unsupported:
    case ErrorCode::InvalidArgument:
        return true;
    default:
        return false;
    }
}

// One `vm run` from the creation of its VM on.
class Run {
public:
    Run(Client &client, Jobs &jobs, const Flags &flags,
        const std::optional<std::vector<std::string>> &command, const WorkspaceArchive *archive,
        const Workspace *workspace, std::chrono::seconds ready_timeout)
        : client_(client), jobs_(jobs), flags_(flags), command_(command), archive_(archive),
          workspace_(workspace), ready_timeout_(ready_timeout) {}

    int run(const VmSpec &spec) {
        try {
            create(spec);
            start();
            const int status = use();
            tidy();
            return status;
        } catch (const Interrupted &) {
            if (created_ && !flags_.remove) {
                print_notice(fmt::format(
                    "\nthe VM '{0}' is kept; `banger vm delete {0}` removes it", name_));
            }
            tidy();
            throw;
        } catch (const Error &e) {
            if (!created_) {
                throw;
            }
            if (goes()) {
                print_error(e.what());
                tidy();
                throw Error(e.code(), "");
            }
            throw Error(e.code(),
                        fmt::format("{0}\nthe VM is kept: `banger vm logs {1}` shows its console, "
                                    "`banger vm delete {1}` removes it",
                                    e.what(), name_));
        }
    }

private:
    void create(const VmSpec &spec) {
        image_ = spec.image;
        Properties options = create_options(spec);
        if (workspace_ != nullptr) {
            options.emplace("workspace", sdbus::Variant{workspace_->root().native()});
        }
        const sdbus::ObjectPath manager{names::manager_path};
        const auto job = client_.call<sdbus::ObjectPath>(manager, names::manager, "CreateVM",
                                                         spec.name, options);
        name_ = jobs_.finish(job, spec.name.empty() ? "VM" : spec.name, OnInterrupt::Cancel);
        created_ = true;
        path_ = client_.call<sdbus::ObjectPath>(manager, names::manager, "GetVM", name_);
    }

    void start() {
        try {
            const auto job =
                client_.call<sdbus::ObjectPath>(path_, names::vm, "Start", Properties{});
            jobs_.finish(job, name_, OnInterrupt::Cancel);
        } catch (const Error &e) {
            refused_ = is_refusal(e.code());
            throw;
        }
        if (archive_ != nullptr) {
            send_workspace(client_, path_, *archive_, workspace_->guest_directory(), name_);
        }
    }

    int use() {
        const std::string directory = workspace_ != nullptr ? workspace_->guest_directory() : "";
        if (command_) {
            wait(Readiness::Boot);
            return run_program(*command_, is_container(), directory);
        }
        if (flags_.detach) {
            bootstrap();
            outlive_session();
            fmt::print("{}\n", name_);
            return 0;
        }
        // An image of containers has its own command, and perhaps no sshd.
        const bool container = is_container();
        const VmInfo vm = wait(container ? Readiness::Boot : Readiness::Session);
        bootstrap();
        const int status =
            container ? run_program({}, true, directory) : run_shell(client_, vm, directory);
        if (!flags_.remove) {
            print_notice(fmt::format("The VM '{0}' still runs: `banger vm {1}` returns to it, "
                                     "`banger vm stop {0}` stops it.",
                                     name_,
                                     container ? "exec " + name_ + " -- COMMAND" : "ssh " + name_));
        }
        return status;
    }

    bool is_container() { return is_container_image(client_.objects(), image_); }

    int run_program(const std::vector<std::string> &argv, bool entrypoint,
                    const std::string &directory) {
        ExecRequest request;
        request.argv = argv;
        request.entrypoint = entrypoint;
        request.working_directory = directory;
        request.terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
        return run_in_guest(client_, path_, request).status;
    }

    VmInfo wait(Readiness readiness) {
        try {
            return wait_until_ready(client_, path_, readiness, ready_timeout_);
        } catch (const Error &e) {
            // Whoever waits in vain wants to look at it.
            keep_ = e.code() == ErrorCode::GuestTimeout;
            throw;
        }
    }

    void bootstrap() {
        if (workspace_ == nullptr) {
            return;
        }
        try {
            start_tool_bootstrap(client_, path_, *workspace_);
        } catch (const Error &e) {
            print_warning(fmt::format("the tools of the repository are not set up: {}", e.what()));
        }
    }

    static void outlive_session() {
        if (is_lingering()) {
            return;
        }
        try {
            enable_lingering();
            print_notice(fmt::format("Lingering is on now for {}, so that the VM outlives your "
                                     "session; `loginctl disable-linger` switches it off.",
                                     user_name()));
        } catch (const Error &e) {
            print_warning(fmt::format("the VM ends with your last session: lingering could not be "
                                      "switched on ({})",
                                      e.what()));
        }
    }

    bool goes() const { return created_ && !keep_ && (flags_.remove || refused_); }

    // With --rm: the VM goes, whatever has happened. A second Ctrl-C leaves bangerd to it.
    void tidy() {
        if (!goes()) {
            return;
        }
        client_.clear_interrupt();
        // Of its own: bangerd may have started anew since the first one.
        Jobs jobs(client_);
        const auto job = client_.call<sdbus::ObjectPath>(path_, names::vm, "Delete", Properties{});
        const JobOutcome outcome = jobs.outcome(job);
        created_ = false;
        if (outcome.error) {
            print_warning(
                fmt::format("the VM '{}' could not be deleted: {}", name_, outcome.error->what()));
        }
    }

    Client &client_;
    Jobs &jobs_;
    const Flags &flags_;
    const std::optional<std::vector<std::string>> &command_;
    const WorkspaceArchive *archive_;
    const Workspace *workspace_;
    std::chrono::seconds ready_timeout_;
    std::string name_;
    std::string image_;
    sdbus::ObjectPath path_;
    bool created_ = false;
    bool keep_ = false;
    bool refused_ = false;
};

void refuse_taken_name(const ManagedObjects &objects, const std::string &name) {
    for (const auto &[path, interfaces] : objects) {
        const auto vm = interfaces.find(names::vm);
        if (!name.empty() && vm != interfaces.end() &&
            property<std::string>(vm->second, "Name") == name) {
            fail(ErrorCode::AlreadyExists,
                 "there is a VM '{0}' already: choose another --name, use it with `banger vm ssh "
                 "{0}`, or remove it with `banger vm delete {0}`",
                 name);
        }
    }
}

// Told before an image is built for minutes.
void refuse_without_vmm(Client &client) {
    const Properties manager =
        client.all_properties(sdbus::ObjectPath{names::manager_path}, names::manager);
    if (manager.count("VMM") != 0 && property<std::string>(manager, "VMM").empty()) {
        throw Error(ErrorCode::VmmFailed, property<std::string>(manager, "VMMReason"));
    }
}

// Authentication agents of polkit are part of desktops, or started in terminals.
bool administrator_may_be_asked() {
    return is_terminal(STDIN_FILENO) || std::getenv("DISPLAY") != nullptr ||
           std::getenv("WAYLAND_DISPLAY") != nullptr;
}

// The same of the network; asked only where much would be made in vain.
void refuse_without_permission(Client &client) {
    for (const DoctorRow &row : diagnosis(client)) {
        const bool refused = row.verdict == Verdict::Fail ||
                             (row.verdict == Verdict::Warn && !administrator_may_be_asked());
        if (row.name == "network permission" && refused) {
            fail(ErrorCode::NotAuthorized, "{}; {}", row.detail, row.remedy);
        }
    }
}

int run(const Flags &flags, const std::optional<std::vector<std::string>> &command) {
    std::optional<Workspace> workspace;
    if (!flags.path.empty()) {
        workspace.emplace(
            WorkspaceOptions{flags.path, flags.include_untracked, flags.branch, flags.from});
        if (flags.dry_run) {
            print_listing(*workspace, flags.json);
            return 0;
        }
        print_left_out(*workspace);
    }
    const auto config = load_config();
    VmSpec spec = resolve(flags.vm, config, config::HostSize::of_this_host());
    const auto ready_timeout = config::parse_duration(flags.ready_timeout);
    std::optional<WorkspaceArchive> archive;
    if (workspace) {
        archive.emplace(*workspace);
    }

    Client client;
    const ManagedObjects objects = client.objects();
    refuse_taken_name(objects, spec.name);
    refuse_without_vmm(client);
    if (!is_there(objects, names::image, spec.image)) {
        refuse_without_permission(client);
    }
    Jobs jobs(client);
    spec.image = pull_missing(client, jobs, objects, spec.image, spec.kernel);
    print_notice(spec_line(spec));
    return Run(client, jobs, flags, command, archive ? &*archive : nullptr,
               workspace ? &*workspace : nullptr, ready_timeout)
        .run(spec);
}

} // namespace

void add_vm_run(CLI::App &vm, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb =
        vm.add_subcommand("run", "Create a VM and use it: a shell, or a command after --");
    verb->footer(
        "Examples:\n"
        "  banger vm run                       a fresh machine and a shell\n"
        "  banger vm run ./repo                a git repository at /root/repo, and a shell\n"
        "  banger vm run ./repo -- make test   a command there; its exit status is ours\n"
        "  banger vm run --rm -- script.sh     the VM is deleted at the end");
    verb->add_option("PATH", flags->path, "Git repository to take along")->type_name(kind::path);
    add_vm_flags(*verb, flags->vm);
    verb->add_flag("--rm", flags->remove, "Delete the VM at the end, however it ends");
    verb->add_flag("-d,--detach", flags->detach, "Leave it running in the background");
    verb->add_option("--ready-timeout", flags->ready_timeout,
                     "How long each step of the boot may take (default: 90s)")
        ->type_name("TIME");
    constexpr const char *workspace = "The repository";
    verb->add_option("--branch", flags->branch, "Begin a new branch of this name in the guest")
        ->type_name("NAME")
        ->group(workspace);
    verb->add_option("--from", flags->from,
                     "With --branch: begin from this commit, not from the working tree")
        ->type_name("COMMIT")
        ->group(workspace);
    verb->add_flag("--include-untracked", flags->include_untracked,
                   "Take untracked files along; ignored ones never")
        ->group(workspace);
    verb->add_flag("--dry-run", flags->dry_run, "Print the files that would go, and make nothing")
        ->group(workspace);
    verb->add_flag("--json", flags->json, "With --dry-run: as JSON")->group(workspace);
    verb->callback([flags, &context] {
        if (context.command && context.command->empty()) {
            throw CLI::ValidationError("there is no command after --");
        }
        check_combination(*flags, context.command.has_value());
        context.failure_status = context.command ? exit_status::own_failure : exit_status::failure;
        context.action = [flags, &context] { return run(*flags, context.command); };
    });
}

} // namespace banger::cli
