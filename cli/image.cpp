#include "base/names.hpp"
#include "cli/artifact_verbs.hpp"
#include "cli/artifacts.hpp"
#include "cli/bundle.hpp"
#include "cli/image_verbs.hpp"
#include "cli/sizing.hpp"
#include "cli/verbs.hpp"

namespace banger::cli {
namespace {

void add_build(CLI::App &image, Context &context) {
    struct Flags {
        std::string name;
        std::string from;
        std::vector<std::string> include;
        bool force = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = image.add_subcommand("build", "Build an image from a recipe of the catalog");
    verb->add_option("NAME", flags->name, "Its name")->type_name(kind::image)->required();
    verb->add_option("--from", flags->from, "The recipe (default: the name)")->type_name("RECIPE");
    verb->add_option("--include", flags->include, "Further Debian packages, separated by commas")
        ->delimiter(',')
        ->type_name("PACKAGE,...");
    verb->add_flag("--force", flags->force, "Build it anew where it is there already");
    verb->callback([flags, &context] {
        context.action = [flags] {
            const std::string name = ArtifactName("image", flags->name).str();
            Properties options;
            if (!flags->from.empty()) {
                options.emplace("from", sdbus::Variant{flags->from});
            }
            if (!flags->include.empty()) {
                options.emplace("include", sdbus::Variant{flags->include});
            }
            if (flags->force) {
                options.emplace("force", sdbus::Variant{true});
            }
            return make_artifact("BuildImage", name, options, "image " + name);
        };
    });
}

void add_pull(CLI::App &image, Context &context) {
    struct Flags {
        std::string reference;
        std::string name;
        std::string kernel;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb =
        image.add_subcommand("pull", "Make an image of the catalog or of a registry available");
    verb->footer("Examples:\n"
                 "  banger image pull debian-bookworm              of the catalog\n"
                 "  banger image pull alpine:3.20                  of Docker Hub\n"
                 "  banger image pull ghcr.io/org/img@sha256:...   exactly this one\n"
                 "  banger image pull oci:DIR                      a directory in OCI layout\n"
                 "  banger image pull docker-archive:FILE          what docker save wrote");
    verb->add_option("NAME", flags->reference,
                     "Its name in the catalog, or an OCI reference (default: default_image_name)")
        ->type_name(kind::image);
    verb->add_option("--name", flags->name, "Its name here")->type_name("NAME");
    verb->add_option("--kernel-ref", flags->kernel, "Of an OCI image: the kernel of its VMs")
        ->type_name(kind::kernel);
    verb->callback([flags, &context] {
        context.action = [flags] {
            const std::string reference = flags->reference.empty()
                                              ? load_config().default_image_name.value
                                              : with_absolute_path(flags->reference);
            Properties options;
            if (!flags->name.empty()) {
                options.emplace("name", sdbus::Variant{flags->name});
            }
            if (!flags->kernel.empty()) {
                options.emplace("kernel", sdbus::Variant{flags->kernel});
            }
            return make_artifact("PullImage", reference, options, "image " + reference);
        };
    });
}

} // namespace

void add_image(CLI::App &root, Context &context) {
    CLI::App *image = root.add_subcommand("image", "Manage images");
    image->require_subcommand(1);
    add_build(*image, context);
    add_pull(*image, context);
    add_image_list(*image, context);
    add_image_show(*image, context);
    add_image_register(*image, context);
    add_image_promote(*image, context);
    add_image_cache(*image, context);
    add_bundle(*image, bundle_of_image, context);
    add_artifact_delete(*image, "delete", "Delete images that no VM uses", kind::image,
                        "DeleteImage", context);
}

} // namespace banger::cli
