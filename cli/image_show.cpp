#include "base/byte_size.hpp"
#include "cli/client.hpp"
#include "cli/detail_row.hpp"
#include "cli/format.hpp"
#include "cli/image_verbs.hpp"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;
/// Its name, whether it is in the image, and why not.
using Part = sdbus::Struct<std::string, bool, std::string>;

std::string quoted(const Words &argv) {
    std::string line;
    for (const std::string &word : argv) {
        line += (line.empty() ? "" : " ") + quote_word(word);
    }
    return line;
}

std::string words(const Properties &image, const char *key) {
    return fmt::format("{}", fmt::join(property<Words>(image, key), " "));
}

const Properties &find_image(const ManagedObjects &objects, const std::string &name) {
    for (const auto &[path, interfaces] : objects) {
        const auto image = interfaces.find(names::image);
        if (image != interfaces.end() && property<std::string>(image->second, "Name") == name) {
            return image->second;
        }
    }
    fail(ErrorCode::NotFound, "there is no image '{}'; `banger image list` shows what there is",
         name);
}

void print_image(const Properties &image) {
    const auto bytes = [&](const char *key) {
        return format_byte_size(property<std::uint64_t>(image, key));
    };
    print_detail("Name", property<std::string>(image, "Name"));
    print_detail("Digest", property<std::string>(image, "Digest"));
    print_detail("Source", property<std::string>(image, "Source"));
    print_detail("Manifest", property<std::string>(image, "Manifest"));
    print_detail("Registered", property<std::string>(image, "RegisteredFile"));
    print_detail("Kernel", property<std::string>(image, "Kernel"));
    print_detail("File system", bytes("FileSystemBytes"));
    print_detail("On disk",
                 fmt::format("{}: {} of its own, {} shared with other names or VMs",
                             bytes("SizeBytes"), bytes("OwnBytes"), bytes("SharedBytes")));
    print_detail("Used by", words(image, "UsedBy"));
    print_detail("Created", format_since(property<std::uint64_t>(image, "CreatedAt"), now_usec()));
    print_detail("User", property<std::string>(image, "User"));
    print_detail("Directory", property<std::string>(image, "WorkingDirectory"));
    print_detail("Entrypoint", quoted(property<Words>(image, "Entrypoint")));
    print_detail("Command", quoted(property<Words>(image, "Command")));
    for (const std::string &variable : property<Words>(image, "Environment")) {
        print_detail("Variable", variable);
    }
    print_detail("Recipe", property<std::string>(image, "Recipe"));
    print_detail("Packages", words(image, "Packages"));
    print_detail("Extra", words(image, "ExtraPackages"));
    for (const Part &part : property<std::vector<Part>>(image, "Parts")) {
        print_detail("Part", std::get<1>(part) ? std::get<0>(part)
                                               : fmt::format("{} is left out: {}",
                                                             std::get<0>(part), std::get<2>(part)));
    }
}

nlohmann::ordered_json to_json(const Properties &image) {
    nlohmann::ordered_json json;
    const auto text = [&](const char *name, const char *key) {
        json[name] = property<std::string>(image, key);
    };
    const auto number = [&](const char *name, const char *key) {
        json[name] = property<std::uint64_t>(image, key);
    };
    const auto list = [&](const char *name, const char *key) {
        json[name] = property<Words>(image, key);
    };
    text("name", "Name");
    text("digest", "Digest");
    text("source", "Source");
    text("manifest", "Manifest");
    text("registered_file", "RegisteredFile");
    text("kernel", "Kernel");
    number("file_system_bytes", "FileSystemBytes");
    number("size_bytes", "SizeBytes");
    number("own_bytes", "OwnBytes");
    number("shared_bytes", "SharedBytes");
    list("used_by", "UsedBy");
    json["created_at"] = format_iso_time(property<std::uint64_t>(image, "CreatedAt"));
    text("user", "User");
    text("working_directory", "WorkingDirectory");
    list("entrypoint", "Entrypoint");
    list("command", "Command");
    list("environment", "Environment");
    text("recipe", "Recipe");
    list("packages", "Packages");
    list("extra_packages", "ExtraPackages");
    json["parts"] = nlohmann::ordered_json::array();
    for (const Part &part : property<std::vector<Part>>(image, "Parts")) {
        json["parts"].push_back({{"name", std::get<0>(part)},
                                 {"included", std::get<1>(part)},
                                 {"reason", std::get<2>(part)}});
    }
    return json;
}

} // namespace

void add_image_show(CLI::App &image, Context &context) {
    struct Flags {
        std::string name;
        bool json = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = image.add_subcommand("show", "Show one image in detail");
    verb->add_option("IMAGE", flags->name, "Its name")->type_name(kind::image)->required();
    verb->add_flag("--json", flags->json, "Print as JSON");
    verb->callback([flags, &context] {
        context.action = [flags] {
            Client client;
            const ManagedObjects objects = client.objects();
            const Properties &found = find_image(objects, flags->name);
            if (flags->json) {
                fmt::print("{}\n", to_json(found).dump(2));
            } else {
                print_image(found);
            }
            return 0;
        };
    });
}

} // namespace banger::cli
