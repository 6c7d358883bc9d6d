#include "base/byte_size.hpp"
#include "cli/client.hpp"
#include "cli/format.hpp"
#include "cli/image_verbs.hpp"
#include "cli/jobs.hpp"
#include "cli/table.hpp"
#include "daemon/config/config.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

const sdbus::ObjectPath manager{names::manager_path};
using Row = sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>;

struct Blob {
    std::string digest;
    std::uint64_t bytes;
    std::uint64_t used_usec;
    bool partial;
};

std::vector<Blob> ask_for_blobs() {
    Client client;
    std::vector<Blob> blobs;
    for (const Row &row :
         client.call<std::vector<Row>>(manager, names::manager, "ListImageCache")) {
        blobs.push_back({std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)});
    }
    return blobs;
}

void print_blobs(const std::vector<Blob> &blobs) {
    Table table({"DIGEST", "SIZE", "LAST USED", "STATE"});
    std::uint64_t total = 0;
    for (const Blob &blob : blobs) {
        constexpr std::size_t short_digest = 19; // "sha256:" and twelve digits
        table.add({blob.digest.substr(0, short_digest), format_byte_size(blob.bytes),
                   format_since(blob.used_usec, now_usec()), blob.partial ? "partial" : "whole"});
        total += blob.bytes;
    }
    fmt::print("{}{} in all; no image needs them\n", table.text(), format_byte_size(total));
}

nlohmann::ordered_json to_json(const std::vector<Blob> &blobs) {
    auto json = nlohmann::ordered_json::array();
    for (const Blob &blob : blobs) {
        json.push_back({{"digest", blob.digest},
                        {"size_bytes", blob.bytes},
                        {"last_used", format_iso_time(blob.used_usec)},
                        {"partial", blob.partial}});
    }
    return json;
}

void add_list(CLI::App &cache, Context &context) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App *verb =
        cache.add_subcommand("list", "List what is kept for the next pull")->alias("ls");
    verb->add_flag("--json", *as_json, "Print as JSON");
    verb->callback([as_json, &context] {
        context.action = [as_json] {
            const auto blobs = ask_for_blobs();
            if (*as_json) {
                fmt::print("{}\n", to_json(blobs).dump(2));
            } else {
                print_blobs(blobs);
            }
            return 0;
        };
    });
}

void add_prune(CLI::App &cache, Context &context) {
    const auto unused_for = std::make_shared<std::string>();
    CLI::App *verb = cache.add_subcommand("prune", "Remove it; images and VMs stay as they are");
    verb->add_option("--unused-for", *unused_for, "Only what was not used for so long, as in 7d")
        ->type_name("TIME");
    verb->callback([unused_for, &context] {
        context.action = [unused_for] {
            Properties options;
            if (!unused_for->empty()) {
                const auto seconds = config::parse_duration(*unused_for).count();
                options.emplace("unused_for", sdbus::Variant{static_cast<std::uint64_t>(seconds)});
            }
            Client client;
            Jobs jobs(client);
            const auto job =
                client.call<sdbus::ObjectPath>(manager, names::manager, "PruneImageCache", options);
            jobs.finish(job, "image cache", OnInterrupt::Leave);
            const Properties ended = client.all_properties(job, names::job);
            fmt::print("{} freed\n", format_byte_size(property<std::uint64_t>(ended, "BytesDone")));
            return 0;
        };
    });
}

} // namespace

void add_image_cache(CLI::App &image, Context &context) {
    CLI::App *cache = image.add_subcommand("cache", "The layers of OCI images that were fetched");
    cache->require_subcommand(1);
    add_list(*cache, context);
    add_prune(*cache, context);
}

} // namespace banger::cli
