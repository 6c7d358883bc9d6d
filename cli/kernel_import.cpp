#include "base/names.hpp"
#include "cli/jobs.hpp"
#include "cli/kernel_info.hpp"
#include "cli/verbs.hpp"

#include <filesystem>

namespace banger::cli {
namespace {

struct Flags {
    std::string name;
    std::string from;
    std::string modules;
    std::string initrd;
    std::string distro;
    bool force = false;
};

Properties options_of(const Flags &flags) {
    Properties options;
    for (const auto &[key, path] :
         {std::pair{"from", &flags.from}, {"modules", &flags.modules}, {"initrd", &flags.initrd}}) {
        if (!path->empty()) {
            // bangerd's working directory is another.
            options.emplace(key, sdbus::Variant{std::filesystem::absolute(*path).string()});
        }
    }
    if (!flags.distro.empty()) {
        options.emplace("distro", sdbus::Variant{flags.distro});
    }
    if (flags.force) {
        options.emplace("force", sdbus::Variant{true});
    }
    return options;
}

int import_kernel(const Flags &flags) {
    const std::string name = ArtifactName("kernel", flags.name).str();
    Client client;
    Jobs jobs(client);
    const auto job =
        client.call<sdbus::ObjectPath>(sdbus::ObjectPath{names::manager_path}, names::manager,
                                       "ImportKernel", name, options_of(flags));
    jobs.finish(job, "kernel " + name, OnInterrupt::Cancel);
    if (const std::string warning = shortcomings(find_kernel(client, name)); !warning.empty()) {
        print_warning(warning);
    }
    fmt::print("{}\n", name);
    return 0;
}

} // namespace

void add_kernel_import(CLI::App &kernel, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = kernel.add_subcommand("import", "Take a kernel of your own");
    verb->footer("Examples:\n"
                 "  banger kernel import mine --from ~/linux               a tree it was built in\n"
                 "  banger kernel import host --from /boot/vmlinuz-6.1.0 --modules /lib/modules\n"
                 "  banger kernel import tiny --from vmlinux               all of it built in");
    verb->add_option("NAME", flags->name, "Its name here")->required();
    verb->add_option("--from", flags->from,
                     "A vmlinux, a bzImage, or a directory with one and its modules")
        ->type_name(kind::path)
        ->required();
    verb->add_option("--modules", flags->modules, "The directory with lib/modules/RELEASE")
        ->type_name(kind::path);
    verb->add_option("--initrd", flags->initrd, "An initrd to unpack before banger's own")
        ->type_name(kind::path);
    verb->add_option("--distro", flags->distro, "A note for lists: \"fedora\"")->type_name("NAME");
    verb->add_flag("--force", flags->force, "Replace a kernel of that name which nobody needs");
    verb->callback(
        [flags, &context] { context.action = [flags] { return import_kernel(*flags); }; });
}

} // namespace banger::cli
