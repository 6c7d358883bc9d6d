#include "base/byte_size.hpp"
#include "cli/format.hpp"
#include "cli/kernel_info.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

void row(const char *key, const std::string &value) {
    if (!value.empty()) {
        fmt::print("{:>12}: {}\n", key, printable(value));
    }
}

std::string missing(const KernelInfo &kernel) {
    if (!kernel.missing.empty()) {
        return fmt::format("{}", fmt::join(kernel.missing, ", "));
    }
    return kernel.features_known ? "nothing" : "not known: nothing tells what is built in";
}

void print_kernel(const KernelInfo &kernel) {
    row("Name", kernel.name);
    row("Version", kernel.release);
    row("Package", kernel.package_version);
    row("Distro", kernel.distro);
    row("Suite", kernel.suite);
    row("Source", kernel.source);
    row("Digest", kernel.digest);
    row("Size", format_byte_size(kernel.size_bytes));
    row("Modules", kernel.has_modules ? "yes" : "none, all is built in");
    row("Initrd", kernel.has_initrd ? "yes, before banger's" : "");
    row("Missing", missing(kernel));
    row("Used by", fmt::format("{}", fmt::join(kernel.used_by, ", ")));
    row("Created", format_since(kernel.created_at_usec, now_usec()));
}

} // namespace

void add_kernel_show(CLI::App &kernel, Context &context) {
    struct Flags {
        std::string name;
        bool json = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = kernel.add_subcommand("show", "Show one kernel in detail");
    verb->add_option("NAME", flags->name, "Its name")->type_name(kind::kernel)->required();
    verb->add_flag("--json", flags->json, "Print as JSON");
    verb->callback([flags, &context] {
        context.action = [flags] {
            Client client;
            const KernelInfo found = find_kernel(client, flags->name);
            if (flags->json) {
                fmt::print("{}\n", to_json(found).dump(2));
            } else {
                print_kernel(found);
            }
            return 0;
        };
    });
}

} // namespace banger::cli
