#include "base/byte_size.hpp"
#include "cli/available_kernels.hpp"
#include "cli/catalog.hpp"
#include "cli/format.hpp"
#include "cli/jobs.hpp"
#include "cli/kernel_info.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {
namespace {

enum class Format { Table, Names, Json };

template <typename Rows, typename ToTable>
void print(const Rows &rows, Format format, ToTable to_table) {
    if (format == Format::Json) {
        auto json = nlohmann::ordered_json::array();
        for (const auto &row : rows) {
            json.push_back(to_json(row));
        }
        fmt::print("{}\n", json.dump(2));
    } else if (format == Format::Names) {
        for (const auto &row : rows) {
            fmt::print("{}\n", row.name);
        }
    } else {
        fmt::print("{}", to_table(rows).text());
    }
}

Table kernel_table(const std::vector<KernelInfo> &kernels) {
    Table table({"NAME", "VERSION", "SOURCE", "SIZE", "CREATED"});
    for (const KernelInfo &kernel : kernels) {
        table.add({kernel.name, kernel.release, kernel.source, format_byte_size(kernel.size_bytes),
                   format_since(kernel.created_at_usec, now_usec())});
    }
    return table;
}

Table available_table(const std::vector<AvailableKernel> &kernels) {
    Table table({"NAME", "PACKAGE", "ORIGIN", "HERE"});
    for (const AvailableKernel &kernel : kernels) {
        table.add({kernel.name, kernel.package_version.empty() ? "newest" : kernel.package_version,
                   kernel.suite, kernel.installed ? "yes" : ""});
    }
    return table;
}

} // namespace

void add_kernel_list(CLI::App &kernel, Context &context) {
    struct Flags {
        bool available = false;
        bool json = false;
        bool quiet = false;
    };
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = kernel.add_subcommand("list", "List kernels")->alias("ls");
    verb->add_flag("--available", flags->available, "Those that `kernel pull` can fetch instead");
    verb->add_flag("-q,--quiet", flags->quiet, "Print names alone");
    verb->add_flag("--json", flags->json, "Print as JSON");
    verb->callback([flags, &context] {
        context.action = [flags] {
            const Format format = flags->json    ? Format::Json
                                  : flags->quiet ? Format::Names
                                                 : Format::Table;
            Client client;
            if (flags->available) {
                refresh_catalog(client);
                warn_of_catalog_problems(client);
                Jobs jobs(client);
                const auto job = client.call<sdbus::ObjectPath>(
                    sdbus::ObjectPath{names::manager_path}, names::manager, "UpdateKernelList",
                    Properties{});
                jobs.finish(job, "kernels of Debian", OnInterrupt::Cancel);
                print(list_available_kernels(client), format, available_table);
            } else {
                print(list_kernels(client), format, kernel_table);
            }
            return 0;
        };
    });
}

} // namespace banger::cli
