#include "base/byte_size.hpp"
#include "cli/artifact_verbs.hpp"
#include "cli/catalog.hpp"
#include "cli/format.hpp"
#include "cli/table.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

using AvailableImage = sdbus::Struct<std::string, std::string, std::string, std::string>;

struct Flags {
    bool available = false;
    bool offline = false;
};

void print_images(const std::vector<Artifact> &images) {
    Table table({"NAME", "DIGEST", "SOURCE", "SIZE", "CREATED"});
    for (const Artifact &image : images) {
        constexpr std::size_t short_digest = 19; // "sha256:" and twelve digits
        table.add({image.name, image.digest.substr(0, short_digest), image.source,
                   format_byte_size(image.size_bytes),
                   format_since(image.created_at_usec, now_usec())});
    }
    fmt::print("{}", table.text());
}

void print_available(const std::vector<AvailableImage> &images, const ManagedObjects &objects,
                     const ListFlags &flags) {
    Table table({"NAME", "DESCRIPTION", "KERNEL", "ORIGIN", "HERE"});
    auto json = nlohmann::ordered_json::array();
    for (const AvailableImage &image : images) {
        const auto &name = std::get<0>(image);
        const auto &description = std::get<1>(image);
        const auto &kernel = std::get<2>(image);
        const auto &origin = std::get<3>(image);
        const bool here = is_there(objects, names::image, name);
        if (flags.quiet) {
            fmt::print("{}\n", name);
        }
        table.add({name, description, kernel, origin, here ? "yes" : ""});
        json.push_back({{"name", name},
                        {"description", description},
                        {"kernel", kernel},
                        {"origin", origin},
                        {"here", here}});
    }
    if (flags.json) {
        fmt::print("{}\n", json.dump(2));
    } else if (!flags.quiet) {
        fmt::print("{}", table.text());
    }
}

int list_available(const ListFlags &flags, bool offline) {
    Client client;
    const sdbus::ObjectPath manager{names::manager_path};
    if (!offline) {
        refresh_catalog(client);
    }
    const auto images =
        client.call<std::vector<AvailableImage>>(manager, names::manager, "ListAvailableImages");
    warn_of_catalog_problems(client);
    print_available(images, client.objects(), flags);
    return 0;
}

} // namespace

void add_image_list(CLI::App &image, Context &context) {
    const auto list_flags = std::make_shared<ListFlags>();
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = image.add_subcommand("list", "List images")->alias("ls");
    add_list_flags(*verb, list_flags);
    CLI::Option *available =
        verb->add_flag("--available", flags->available, "What can be pulled, of all catalogs");
    verb->add_flag("--offline", flags->offline, "Do not ask servers for newer catalogs")
        ->needs(available);
    verb->callback([list_flags, flags, &context] {
        context.action = [list_flags, flags] {
            return flags->available ? list_available(*list_flags, flags->offline)
                                    : print_artifacts(*list_flags, names::image, print_images);
        };
    });
}

} // namespace banger::cli
