#include "cli/artifacts.hpp"
#include "cli/jobs.hpp"
#include "cli/sizing.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

namespace banger::cli {
namespace {

struct Flags {
    VmFlags vm;
    bool start = false;
    bool json = false;
};

int run(const Flags &flags) {
    const auto config = load_config();
    VmSpec spec = resolve(flags.vm, config, config::HostSize::of_this_host());
    Client client;
    Jobs jobs(client);
    spec.image = pull_missing(client, jobs, client.objects(), spec.image, spec.kernel);
    print_notice(spec_line(spec));
    Properties options = create_options(spec);
    if (flags.start) {
        options.emplace("start", sdbus::Variant{true});
    }
    const auto job = client.call<sdbus::ObjectPath>(sdbus::ObjectPath{names::manager_path},
                                                    names::manager, "CreateVM", spec.name, options);
    const std::string name =
        jobs.finish(job, spec.name.empty() ? "VM" : spec.name, OnInterrupt::Cancel);
    if (flags.json) {
        fmt::print("{}\n", to_json(find_vm(client, name)).dump(2));
    } else {
        fmt::print("{}\n", name);
    }
    return 0;
}

} // namespace

void add_vm_create(CLI::App &vm, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = vm.add_subcommand("create", "Create a VM without using it; prints its name");
    add_vm_flags(*verb, flags->vm);
    verb->add_flag("--start", flags->start, "Start it as well");
    verb->add_flag("--json", flags->json, "Print the VM as JSON");
    verb->callback([flags, &context] { context.action = [flags] { return run(*flags); }; });
}

} // namespace banger::cli
