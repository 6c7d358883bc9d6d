#include "daemon/image/worker/command_line.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "daemon/ext4/empty_disk.hpp"
#include "daemon/ext4/writer.hpp"
#include "daemon/image/worker/blob_cache.hpp"
#include "daemon/image/worker/bundles.hpp"
#include "daemon/image/worker/catalog_fetch.hpp"
#include "daemon/image/worker/initramfs.hpp"
#include "daemon/image/worker/kernel_import.hpp"
#include "daemon/image/worker/kernel_package.hpp"
#include "daemon/image/worker/oci_image.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/image/worker/part_fetch.hpp"
#include "daemon/image/worker/rootfs_file.hpp"
#include "daemon/image/worker/tar_import.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <tuple>

namespace banger::image {
namespace {

constexpr const char *max_file_system = "64G";

struct TarToExt4 {
    std::string output;
    std::string label = "banger-image";
    std::string max_size = max_file_system;
    TarImport import;

    void run(Report &report) const {
        OutputFile file{output};
        ext4::WriterOptions options;
        options.label = label;
        options.max_bytes = parse_byte_size(max_size);
        ext4::Writer writer{file.fd(), options};
        ArchiveReader tar{descriptor_source(0, [&](std::uint64_t n) { report.bytes(n, 0); }),
                          ArchiveReader::Format::Tar, "the tar archive"};
        import_tar(tar, writer, import);
        const ext4::WriterResult written = writer.finish();
        file.publish();
        report.result({{"size", written.file_system_bytes},
                       {"used", written.used_bytes},
                       {"inodes", written.inodes},
                       {"digest", sha256_of_file(output)}});
    }
};

struct FetchParts {
    using File = std::tuple<std::string, std::string, std::string, std::uint64_t, std::string,
                            std::uint32_t>;
    using Key = std::tuple<std::string, std::string, std::string, std::uint64_t, std::string>;
    std::string directory;
    std::vector<File> files;
    std::vector<Key> keys;
    std::string http_proxy;
    std::string https_proxy;

    void run(Report &report) const {
        // libcurl's own settings; what the environment has goes first, as with curl(1).
        if (!http_proxy.empty()) {
            ::setenv("http_proxy", http_proxy.c_str(), 0);
        }
        if (!https_proxy.empty()) {
            ::setenv("https_proxy", https_proxy.c_str(), 0);
        }
        PartFetch wanted{directory, {}};
        for (const auto &[name, url, sha256, size, source] : keys) {
            wanted.parts.push_back({name, url, sha256, size, {}, 0, source});
        }
        for (const auto &[name, url, sha256, size, path, mode] : files) {
            wanted.parts.push_back({name, url, sha256, size, path, mode, {}});
        }
        fetch_parts(wanted, report);
    }
};

std::pair<std::string, std::string> split_mirror(const std::string &text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
        fail(ErrorCode::InvalidArgument, "the mirror {:?} is not REGISTRY=MIRROR", text);
    }
    return {text.substr(0, equals), text.substr(equals + 1)};
}

void add_tar(CLI::App &app, Task &task) {
    const auto wanted = std::make_shared<TarToExt4>();
    auto *command = app.add_subcommand("tar-to-ext4", "Write a tar from stdin into an ext4 image");
    command->add_option("--output", wanted->output)->required();
    command->add_option("--label", wanted->label);
    command->add_option("--max-size", wanted->max_size);
    command->add_option("--without", wanted->import.without);
    command->callback([wanted, &task] { task = [wanted](Report &r) { wanted->run(r); }; });
}

void add_oci(CLI::App &app, Task &task) {
    struct Wanted {
        OciImage image;
        std::string max_size = max_file_system;
        std::vector<std::string> mirrors;
        std::vector<std::string> insecure;
    };
    const auto wanted = std::make_shared<Wanted>();
    auto *command = app.add_subcommand("oci-to-ext4", "Write an OCI image into an ext4 image");
    command->add_option("--cache", wanted->image.registries.cache_directory)->required();
    command->add_option("--output", wanted->image.output)->required();
    command->add_option("--known", wanted->image.known,
                        "Digest of a manifest that is there already");
    command->add_option("--max-size", wanted->max_size);
    command->add_option("--mirror", wanted->mirrors, "REGISTRY=MIRROR");
    command->add_option("--insecure", wanted->insecure, "A registry of plain HTTP");
    command->add_option("reference", wanted->image.reference)->required();
    command->callback([wanted, &task] {
        task = [wanted](Report &report) {
            OciImage &image = wanted->image;
            image.max_bytes = parse_byte_size(wanted->max_size);
            image.registries.insecure_registries = {wanted->insecure.begin(),
                                                    wanted->insecure.end()};
            for (const auto &mirror : wanted->mirrors) {
                const auto [registry, place] = split_mirror(mirror);
                image.registries.mirrors[registry].push_back(place);
            }
            write_oci_image(image, report);
        };
    });
}

void add_bundles(CLI::App &app, Task &task) {
    const auto add_fetch = [&](const char *name, const char *description, bundle::Kind kind) {
        const auto wanted = std::make_shared<BundleFetch>();
        wanted->kind = kind;
        auto *command = app.add_subcommand(name, description);
        command->add_option("--sha256", wanted->file.sha256)->required();
        command->add_option("--size", wanted->file.size, "Bytes; 0: not known");
        command->add_option("--cache", wanted->cache)->required();
        command->add_option("--output", wanted->output, "A directory")->required();
        command->add_option("url", wanted->file.url)->required();
        command->callback(
            [wanted, &task] { task = [wanted](Report &r) { fetch_bundle(*wanted, r); }; });
    };
    add_fetch("image-bundle", "Fetch and unpack the bundle of an image", bundle::Kind::Image);
    add_fetch("kernel-bundle", "Fetch and unpack the bundle of a kernel", bundle::Kind::Kernel);

    struct Packing {
        BundlePacking wanted;
        std::string kind;
    };
    const auto packing = std::make_shared<Packing>();
    auto *command = app.add_subcommand("pack-bundle", "Make a bundle of an image or a kernel");
    command->add_option("--kind", packing->kind)
        ->check(CLI::IsMember({"image", "kernel"}))
        ->required();
    command->add_option("--directory", packing->wanted.directory)->required();
    command->add_option("--output", packing->wanted.output)->required();
    command->add_flag("--replace", packing->wanted.replace);
    command->callback([packing, &task] {
        task = [packing](Report &report) {
            packing->wanted.kind =
                packing->kind == "image" ? bundle::Kind::Image : bundle::Kind::Kernel;
            pack_bundle(packing->wanted, report);
        };
    });
}

void add_rootfs_file(CLI::App &app, Task &task) {
    const auto wanted = std::make_shared<RootfsFile>();
    auto *command =
        app.add_subcommand("rootfs-file", "Check and sum up a root file system that is there");
    command->add_option("--file", wanted->file)->required();
    command->add_option("--copy", wanted->copy, "Also write a copy there");
    command->callback(
        [wanted, &task] { task = [wanted](Report &r) { take_rootfs_file(*wanted, r); }; });
}

void add_blob_cache(CLI::App &app, Task &task) {
    struct Wanted {
        std::filesystem::path cache;
        std::optional<std::chrono::seconds::rep> unused_for;
    };
    const auto wanted = std::make_shared<Wanted>();
    auto *list = app.add_subcommand("blob-list", "List what is kept of OCI images");
    list->add_option("--cache", wanted->cache)->required();
    list->callback(
        [wanted, &task] { task = [wanted](Report &r) { list_blob_cache(wanted->cache, r); }; });
    auto *prune = app.add_subcommand("blob-prune", "Remove what is kept of OCI images");
    prune->add_option("--cache", wanted->cache)->required();
    prune->add_option("--unused-for", wanted->unused_for, "Seconds; without it all goes");
    prune->callback([wanted, &task] {
        task = [wanted](Report &report) {
            prune_blob_cache(wanted->cache,
                             wanted->unused_for
                                 ? std::optional{std::chrono::seconds{*wanted->unused_for}}
                                 : std::nullopt,
                             report);
        };
    });
}

void add_fetch_parts(CLI::App &app, Task &task) {
    const auto wanted = std::make_shared<FetchParts>();
    auto *command =
        app.add_subcommand("fetch-parts", "Fetch what a recipe names by URL, the keys first");
    command->add_option("--directory", wanted->directory)->required();
    command->add_option("--key", wanted->keys, "NAME URL SHA256 SIZE APT-SOURCE");
    command->add_option("--file", wanted->files, "NAME URL SHA256 SIZE PATH MODE");
    command->add_option("--http-proxy", wanted->http_proxy);
    command->add_option("--https-proxy", wanted->https_proxy);
    command->callback([wanted, &task] { task = [wanted](Report &r) { wanted->run(r); }; });
}

void add_catalog(CLI::App &app, Task &task) {
    const auto wanted = std::make_shared<CatalogFetch>();
    auto *command = app.add_subcommand("fetch-catalog", "Refresh the copy of a catalog");
    command->add_option("--output", wanted->output)->required();
    command->add_option("url", wanted->url)->required();
    command->callback(
        [wanted, &task] { task = [wanted](Report &r) { fetch_catalog(*wanted, r); }; });
}

void add_kernels(CLI::App &app, Task &task) {
    const auto package = std::make_shared<KernelPackage>();
    auto *deb = app.add_subcommand("kernel-deb", "Take a kernel out of a Debian package");
    deb->add_option("--output", package->output)->required();
    deb->add_option("deb", package->deb)->required();
    deb->callback([package, &task] { task = [package](Report &r) { take_kernel(*package, r); }; });

    const auto own = std::make_shared<KernelImport>();
    auto *import = app.add_subcommand("kernel-import", "Take a kernel of the user's own");
    import->add_option("--output", own->output)->required();
    import->add_option("--modules", own->modules);
    import->add_option("--initrd", own->initrd);
    import->add_option("from", own->from)->required();
    import->callback([own, &task] { task = [own](Report &r) { import_kernel(*own, r);
};
} // namespace
);

const auto parts = std::make_shared<InitramfsParts>();
auto *initramfs = app.add_subcommand("initramfs", "Assemble a kernel's initramfs");
initramfs->add_option("--kernel-dir", parts->kernel_directory)->required();
initramfs->add_option("--init", parts->init)->required();
initramfs->add_option("--agent", parts->agent)->required();
initramfs->add_option("--output", parts->output)->required();
initramfs->callback([parts, &task] { task = [parts](Report &r) { write_initramfs(*parts, r); }; });
} // namespace banger::image

void add_empty_disk(CLI::App &app, Task &task) {
    struct Wanted {
        std::string output;
        std::string size;
        std::string label;
    };
    const auto wanted = std::make_shared<Wanted>();
    auto *command = app.add_subcommand("empty-disk", "Make a sparse file with an empty ext4");
    command->add_option("--output", wanted->output)->required();
    command->add_option("--size", wanted->size)->required();
    command->add_option("--label", wanted->label)->required();
    command->callback([wanted, &task] {
        task = [wanted](Report &report) {
            ext4::format_empty_disk(wanted->output, parse_byte_size(wanted->size), wanted->label);
            report.result(nlohmann::json::object());
        };
    });
}

} // namespace

void add_tasks(CLI::App &app, Task &task) {
    app.require_subcommand(1);
    for (const auto add : {add_tar, add_oci, add_bundles, add_rootfs_file, add_blob_cache,
                           add_fetch_parts, add_catalog, add_kernels, add_empty_disk}) {
        add(app, task);
    }
}

} // namespace banger::image
