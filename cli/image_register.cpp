#include "base/names.hpp"
#include "cli/artifact_verbs.hpp"
#include "cli/client.hpp"
#include "cli/image_verbs.hpp"
#include "cli/jobs.hpp"

#include <filesystem>

namespace banger::cli {
namespace {

const sdbus::ObjectPath manager{names::manager_path};

struct Flags {
    std::string name;
    std::string rootfs;
    std::string kernel_ref;
    std::string kernel;
    std::string initrd;
    std::string modules;
    bool force = false;
};

void put_path(Properties &options, const char *key, const std::string &path) {
    if (!path.empty()) {
        options.emplace(key, sdbus::Variant{std::filesystem::absolute(path).string()});
    }
}

/// The kernel goes by the image's name.
void import_kernel(Client &client, Jobs &jobs, const Flags &flags) {
    Properties options;
    put_path(options, "from", flags.kernel);
    put_path(options, "initrd", flags.initrd);
    put_path(options, "modules", flags.modules);
    options.emplace("force", sdbus::Variant{flags.force});
    const auto job = client.call<sdbus::ObjectPath>(manager, names::manager, "ImportKernel",
                                                    flags.name, options);
    jobs.finish(job, "kernel " + flags.name, OnInterrupt::Cancel);
}

int run(const Flags &flags) {
    const std::string name = ArtifactName{"image", flags.name}.str();
    Client client;
    Jobs jobs(client);
    const bool own_kernel = !flags.kernel.empty();
    if (own_kernel) {
        import_kernel(client, jobs, flags);
    }
    try {
        Properties options{{"force", sdbus::Variant{flags.force}}};
        put_path(options, "file", flags.rootfs);
        const std::string kernel = own_kernel ? name : flags.kernel_ref;
        if (!kernel.empty()) {
            options.emplace("kernel", sdbus::Variant{kernel});
        }
        const auto job =
            client.call<sdbus::ObjectPath>(manager, names::manager, "RegisterImage", name, options);
        fmt::print("{}\n", jobs.finish(job, "image " + name, OnInterrupt::Cancel));
    } catch (const std::exception &) {
        // One of the same name that was replaced is gone all the same.
        if (own_kernel && !flags.force) {
            client.clear_interrupt();
            client.call<>(manager, names::manager, "DeleteKernel", name);
        }
        throw;
    }
    return 0;
}

} // namespace

void add_image_register(CLI::App &image, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb =
        image.add_subcommand("register", "Use a root file system of your own, where it is");
    verb->footer(
        "The file must hold an ext4 file system and stay as it is: a VM of it does not start\n"
        "once it was changed. `banger image promote` makes a copy that cannot change.");
    verb->add_option("--name", flags->name, "The image's name")->type_name("NAME")->required();
    verb->add_option("--rootfs", flags->rootfs, "The root file system")
        ->type_name(kind::path)
        ->required();
    auto *kernel = verb->add_option("--kernel", flags->kernel,
                                    "A kernel of your own: vmlinux, bzImage or a directory")
                       ->type_name(kind::path);
    verb->add_option("--initrd", flags->initrd, "Its initrd")->type_name(kind::path)->needs(kernel);
    verb->add_option("--modules", flags->modules, "Its modules: lib/modules/RELEASE")
        ->type_name(kind::path)
        ->needs(kernel);
    verb->add_option("--kernel-ref", flags->kernel_ref,
                     "The kernel of its VMs by name (default: Debian's)")
        ->type_name(kind::kernel)
        ->excludes(kernel);
    verb->add_flag("--force", flags->force, "Also where the name means another image");
    verb->callback([flags, &context] { context.action = [flags] { return run(*flags); }; });
}

void add_image_promote(CLI::App &image, Context &context) {
    const auto name = std::make_shared<std::string>();
    CLI::App *verb = image.add_subcommand(
        "promote", "Copy the file of a registered image into banger's keeping");
    verb->add_option("IMAGE", *name, "Its name")->type_name(kind::image)->required();
    verb->callback([name, &context] {
        context.action = [name] {
            return make_artifact("PromoteImage", *name, {}, "image " + *name);
        };
    });
}

} // namespace banger::cli
