#include "base/names.hpp"
#include "cli/artifact_verbs.hpp"
#include "cli/bundle.hpp"
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
    verb->footer("Examples:\n"
                 "  banger kernel pull debian-trixie                       the newest of a suite\n"
                 "  banger kernel pull debian-6.1.0-56-cloud-amd64         exactly this one\n"
                 "`banger kernel list --available` shows what there is.");
    verb->add_option("NAME", flags->name, "Its name (default: the default kernel)")
        ->type_name(kind::available_kernel);
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

} // namespace

void add_kernel(CLI::App &root, Context &context) {
    CLI::App *kernel = root.add_subcommand("kernel", "Manage kernels");
    kernel->require_subcommand(1);
    add_pull(*kernel, context);
    add_kernel_import(*kernel, context);
    add_kernel_list(*kernel, context);
    add_kernel_show(*kernel, context);
    add_bundle(*kernel, bundle_of_kernel, context);
    add_artifact_delete(*kernel, "rm", "Delete kernels that no VM and no image needs", kind::kernel,
                        "DeleteKernel", context);
}

} // namespace banger::cli
