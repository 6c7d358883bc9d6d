#include "base/byte_size.hpp"
#include "base/paths.hpp"
#include "cli/format.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

#include <unistd.h>

#include <cstdio>

namespace banger::cli {
namespace {

struct Flags {
    bool all = false;
    bool quiet = false;
    bool json = false;
};

bool rests(const VmInfo &vm) {
    return vm.state == "stopped" || vm.state == "created";
}

std::string short_path(const std::string &path) {
    const std::string home = home_directory();
    return path.starts_with(home + "/") ? "~" + path.substr(home.size()) : path;
}

void print_table(const std::vector<VmInfo> &vms) {
    Table table({"NAME", "STATE", "IMAGE", "IP", "VCPU", "MEM", "DISK", "WORKSPACE", "CREATED"});
    const std::uint64_t now = now_usec();
    for (const VmInfo &vm : vms) {
        table.add({vm.name, vm.state, vm.image, vm.ip_address, fmt::format("{}", vm.vcpus),
                   format_byte_size(vm.memory_mib * MiB), format_byte_size(vm.disk_bytes),
                   short_path(vm.workspace), format_since(vm.created_at_usec, now)});
    }
    fmt::print("{}", table.text());
}

int run(const Flags &flags) {
    Client client;
    std::vector<VmInfo> vms = list_vms(client);
    const std::size_t hidden = flags.all ? 0 : std::erase_if(vms, rests);
    if (flags.json) {
        auto json = nlohmann::ordered_json::array();
        for (const VmInfo &vm : vms) {
            json.push_back(to_json(vm));
        }
        fmt::print("{}\n", json.dump(2));
    } else if (flags.quiet) {
        for (const VmInfo &vm : vms) {
            fmt::print("{}\n", vm.name);
        }
    } else {
        print_table(vms);
        if (hidden > 0 && is_terminal(STDOUT_FILENO)) {
            print_notice(fmt::format("{} more {} not running; -a shows {} too", hidden,
                                     hidden == 1 ? "is" : "are", hidden == 1 ? "it" : "them"));
        }
    }
    return 0;
}

void add_list(CLI::App &verb, Context &context) {
    const auto flags = std::make_shared<Flags>();
    verb.add_flag("-a,--all", flags->all, "Show those that do not run too");
    verb.add_flag("-q,--quiet", flags->quiet, "Print names alone");
    verb.add_flag("--json", flags->json, "Print as JSON");
    verb.callback([flags, &context] { context.action = [flags] { return run(*flags); }; });
}

} // namespace

void add_vm_list(CLI::App &vm, Context &context) {
    add_list(*vm.add_subcommand("list", "List VMs")->alias("ls")->alias("ps"), context);
}

void add_ps(CLI::App &root, Context &context) {
    add_list(*root.add_subcommand("ps", "List VMs, as `banger vm list`"), context);
}

} // namespace banger::cli
