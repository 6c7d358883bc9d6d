#include "base/byte_size.hpp"
#include "base/names.hpp"
#include "cli/artifact_verbs.hpp"
#include "cli/artifacts.hpp"
#include "cli/bundle.hpp"
#include "cli/format.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace banger::cli {
namespace {

void add_pull(CLI::App &kernel, Context &context) {
    struct Flags {
        std::string name;
        bool force = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = kernel.add_subcommand("pull", "Fetch a kernel");
    verb->add_option("NAME", flags->name, "Its name (default: the default kernel)")
        ->type_name(kind::kernel);
    verb->add_flag("--force", flags->force, "Fetch it anew where it is there already");
    verb->callback([flags, &context] {
        context.action = [flags] {
            if (!flags->name.empty()) {
                flags->name = ArtifactName("kernel", flags->name).str();
            }
            Properties options;
            if (flags->force) {
                options.emplace("force", sdbus::Variant{true});
            }
            return make_artifact("PullKernel", flags->name, options,
                                 flags->name.empty() ? "kernel" : "kernel " + flags->name);
        };
    });
}

void print_kernels(const std::vector<Artifact> &kernels) {
    Table table({"NAME", "VERSION", "SOURCE", "SIZE", "CREATED"});
    for (const Artifact &kernel : kernels) {
        table.add({kernel.name, kernel.version, kernel.source, format_byte_size(kernel.size_bytes),
                   format_since(kernel.created_at_usec, now_usec())});
    }
    fmt::print("{}", table.text());
}

} // namespace

void add_kernel(CLI::App &root, Context &context) {
    CLI::App *kernel = root.add_subcommand("kernel", "Manage kernels");
    kernel->require_subcommand(1);
    add_pull(*kernel, context);
    add_artifact_list(*kernel, "List kernels", names::kernel, print_kernels, context);
    add_bundle(*kernel, bundle_of_kernel, context);
    add_artifact_delete(*kernel, "rm", "Delete kernels that no VM uses", kind::kernel,
                        "DeleteKernel", context);
}

} // namespace banger::cli
