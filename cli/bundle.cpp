#include "cli/bundle.hpp"

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "cli/artifacts.hpp"
#include "cli/jobs.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string_view>

namespace banger::cli {
namespace {

struct Flags {
    std::string name;
    std::string output;
    bool force = false;
};

/// Empty for a kernel, and for an image that is not there any more.
std::string kernel_of(const ManagedObjects &objects, const std::string &name) {
    for (const auto &[path, interfaces] : objects) {
        const auto image = interfaces.find(names::image);
        if (image != interfaces.end() && property<std::string>(image->second, "Name") == name) {
            return property<std::string>(image->second, "Kernel");
        }
    }
    return {};
}

int write_bundle(const Flags &flags, const BundleVerb &bundle) {
    const std::filesystem::path output = std::filesystem::absolute(flags.output).lexically_normal();
    Client client;
    Jobs jobs(client);
    Properties options{{"output", sdbus::Variant{output.string()}}};
    if (flags.force) {
        options.emplace("force", sdbus::Variant{true});
    }
    const auto job = client.call<sdbus::ObjectPath>(
        sdbus::ObjectPath{names::manager_path}, names::manager, bundle.method, flags.name, options);
    jobs.finish(job, "bundle " + output.filename().string(), OnInterrupt::Cancel);

    nlohmann::ordered_json entry{{"name", flags.name}, {"description", ""}};
    if (std::string_view{bundle.interface} == names::image) {
        entry["kernel"] = kernel_of(client.objects(), flags.name);
    }
    entry["bundle"] = {{"url", output.filename().string()},
                       {"sha256", sha256_of_file(output)},
                       {"size", std::filesystem::file_size(output)}};
    fmt::print("{}\n", entry.dump(2));
    return 0;
}

} // namespace

void add_bundle(CLI::App &parent, const BundleVerb &bundle, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = parent.add_subcommand("bundle", bundle.description);
    verb->footer("Prints the entry of a catalog for it, see banger-image(1).");
    verb->add_option("NAME", flags->name, "What to make it of")
        ->type_name(bundle.type_name)
        ->required();
    verb->add_option("-o,--output", flags->output, "The file, as NAME.tar.zst")
        ->type_name(kind::path)
        ->required();
    verb->add_flag("--force", flags->force, "Replace the file where it is there already");
    verb->callback([flags, bundle, &context] {
        context.action = [flags, bundle] { return write_bundle(*flags, bundle); };
    });
}

} // namespace banger::cli
