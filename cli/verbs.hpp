#pragma once

#include "cli/errors.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace banger::cli {

/// What a command line asks for. Each verb puts its action here when it has been parsed; main()
/// runs it afterwards.
struct Context {
    /// The words after "--" of a verb that runs a program in a guest.
    std::optional<std::vector<std::string>> command;
    /// Returns the exit status.
    std::function<int()> action;
    /// What an Error that leaves the action exits with.
    int failure_status = exit_status::failure;
};

// Type names of options and operands: shown by --help, and what completion offers for them.
namespace kind {
constexpr const char *vm = "VM";
constexpr const char *image = "IMAGE";
constexpr const char *kernel = "KERNEL";
/// What `kernel pull` takes.
constexpr const char *available_kernel = "AVAILABLE";
constexpr const char *path = "PATH";
constexpr const char *shell = "SHELL";
} // namespace kind

/// The hidden verb behind the completion scripts; its words follow "--".
constexpr const char *complete_verb = "__complete";

// One function per verb, in the file of that name; each adds itself to its parent.
void add_vm_run(CLI::App &vm, Context &context);
void add_vm_create(CLI::App &vm, Context &context);
void add_vm_start(CLI::App &vm, Context &context);
void add_vm_stop(CLI::App &vm, Context &context);
void add_vm_restart(CLI::App &vm, Context &context);
void add_vm_kill(CLI::App &vm, Context &context);
void add_vm_delete(CLI::App &vm, Context &context);
void add_vm_list(CLI::App &vm, Context &context);
/// `banger ps`
void add_ps(CLI::App &root, Context &context);
void add_vm_show(CLI::App &vm, Context &context);
void add_vm_ssh(CLI::App &vm, Context &context);
void add_vm_exec(CLI::App &vm, Context &context);
void add_vm_logs(CLI::App &vm, Context &context);
void add_image(CLI::App &root, Context &context);
void add_image_list(CLI::App &image, Context &context);
void add_kernel(CLI::App &root, Context &context);
void add_kernel_import(CLI::App &kernel, Context &context);
void add_kernel_list(CLI::App &kernel, Context &context);
void add_kernel_show(CLI::App &kernel, Context &context);
void add_config(CLI::App &root, Context &context);
void add_daemon(CLI::App &root, Context &context);
void add_doctor(CLI::App &root, Context &context);
void add_ssh_config(CLI::App &root, Context &context);
void add_stream(CLI::App &root, Context &context);
void add_version(CLI::App &root, Context &context);
void add_completion(CLI::App &root, Context &context);

} // namespace banger::cli
