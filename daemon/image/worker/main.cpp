// banger-image-worker: what blocks, or reads what others made, in a process of its own. One task
// per run. Progress and the result are JSON lines on standard output (report.hpp).

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
#include "daemon/image/worker/report.hpp"
#include "daemon/image/worker/rootfs_file.hpp"
#include "daemon/image/worker/tar_import.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <clocale>
#include <exception>
#include <new>
#include <tuple>

namespace banger::image {
namespace {

struct TarToExt4 {
    std::string output;
    std::string label = "banger-image";
    std::string max_size = "64G";
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

/// A library that reads what others made may be led to ask for any amount of memory.
void limit_memory() {
    // A sanitizer's own memory counts too.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    constexpr rlim_t most = rlim_t{3} << 30U;
    rlimit limit{};
    if (::getrlimit(RLIMIT_DATA, &limit) == 0) {
        limit.rlim_cur = std::min(limit.rlim_max, most);
        ::setrlimit(RLIMIT_DATA, &limit);
    }
#endif
}

/// image-bundle and kernel-bundle, and pack-bundle
struct Bundles {
    BundleFetch fetch;
    BundlePacking packing;
    std::string packed_kind;
    CLI::App *image = nullptr;
    CLI::App *kernel = nullptr;
    CLI::App *pack = nullptr;

    void add_to(CLI::App &app) {
        image = app.add_subcommand("image-bundle", "Fetch and unpack the bundle of an image");
        kernel = app.add_subcommand("kernel-bundle", "Fetch and unpack the bundle of a kernel");
        for (CLI::App *command : {image, kernel}) {
            command->add_option("--sha256", fetch.file.sha256)->required();
            command->add_option("--size", fetch.file.size, "Bytes; 0: not known");
            command->add_option("--cache", fetch.cache)->required();
            command->add_option("--output", fetch.output, "A directory")->required();
            command->add_option("url", fetch.file.url)->required();
        }
        pack = app.add_subcommand("pack-bundle", "Make a bundle of an image or a kernel");
        pack->add_option("--kind", packed_kind)
            ->check(CLI::IsMember({"image", "kernel"}))
            ->required();
        pack->add_option("--directory", packing.directory)->required();
        pack->add_option("--output", packing.output)->required();
        pack->add_flag("--replace", packing.replace);
    }
    bool wanted() const { return *image || *kernel || *pack; }
    void run(Report &report) {
        if (*pack) {
            packing.kind = packed_kind == "image" ? bundle::Kind::Image : bundle::Kind::Kernel;
            pack_bundle(packing, report);
            return;
        }
        fetch.kind = *image ? bundle::Kind::Image : bundle::Kind::Kernel;
        fetch_bundle(fetch, report);
    }
};

int run(int argc, char **argv) {
    limit_memory();
    // Names in archives are UTF-8; without a locale libarchive refuses them.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    Report report{1};
    CLI::App app{"Does one task for bangerd, in a process of its own."};
    app.require_subcommand(1);

    TarToExt4 tar_to_ext4;
    auto *tar_command =
        app.add_subcommand("tar-to-ext4", "Write a tar from stdin into an ext4 image");
    tar_command->add_option("--output", tar_to_ext4.output)->required();
    tar_command->add_option("--label", tar_to_ext4.label);
    tar_command->add_option("--max-size", tar_to_ext4.max_size);
    tar_command->add_option("--without", tar_to_ext4.import.without);

    KernelPackage package;
    auto *kernel_command =
        app.add_subcommand("kernel-deb", "Take a kernel out of a Debian package");
    kernel_command->add_option("--output", package.output)->required();
    kernel_command->add_option("deb", package.deb)->required();

    KernelImport import;
    auto *import_command = app.add_subcommand("kernel-import", "Take a kernel of the user's own");
    import_command->add_option("--output", import.output)->required();
    import_command->add_option("--modules", import.modules);
    import_command->add_option("--initrd", import.initrd);
    import_command->add_option("from", import.from)->required();

    InitramfsParts parts;
    auto *initramfs_command = app.add_subcommand("initramfs", "Assemble a kernel's initramfs");
    initramfs_command->add_option("--kernel-dir", parts.kernel_directory)->required();
    initramfs_command->add_option("--init", parts.init)->required();
    initramfs_command->add_option("--agent", parts.agent)->required();
    initramfs_command->add_option("--output", parts.output)->required();

    OciImage oci;
    std::string oci_max_size = "64G";
    std::vector<std::string> mirrors;
    std::vector<std::string> insecure;
    auto *oci_command = app.add_subcommand("oci-to-ext4", "Write an OCI image into an ext4 image");
    oci_command->add_option("--cache", oci.registries.cache_directory)->required();
    oci_command->add_option("--output", oci.output)->required();
    oci_command->add_option("--known", oci.known, "Digest of a manifest that is there already");
    oci_command->add_option("--max-size", oci_max_size);
    oci_command->add_option("--mirror", mirrors, "REGISTRY=MIRROR");
    oci_command->add_option("--insecure", insecure, "A registry of plain HTTP");
    oci_command->add_option("reference", oci.reference)->required();

    Bundles bundles;
    bundles.add_to(app);

    CatalogFetch catalog;
    auto *catalog_command = app.add_subcommand("fetch-catalog", "Refresh the copy of a catalog");
    catalog_command->add_option("--output", catalog.output)->required();
    catalog_command->add_option("url", catalog.url)->required();

    std::string disk;
    std::string disk_size;
    std::string disk_label;
    auto *disk_command = app.add_subcommand("empty-disk", "Make a sparse file with an empty ext4");
    disk_command->add_option("--output", disk)->required();
    disk_command->add_option("--size", disk_size)->required();
    disk_command->add_option("--label", disk_label)->required();

    RootfsFile rootfs;
    auto *rootfs_command =
        app.add_subcommand("rootfs-file", "Check and sum up a root file system that is there");
    rootfs_command->add_option("--file", rootfs.file)->required();
    rootfs_command->add_option("--copy", rootfs.copy, "Also write a copy there");

    std::filesystem::path cache;
    std::optional<std::uint64_t> unused_for;
    auto *list_command = app.add_subcommand("blob-list", "List what is kept of OCI images");
    list_command->add_option("--cache", cache)->required();
    auto *prune_command = app.add_subcommand("blob-prune", "Remove what is kept of OCI images");
    prune_command->add_option("--cache", cache)->required();
    prune_command->add_option("--unused-for", unused_for, "Seconds; without it all goes");
    FetchParts parts_of_recipe;
    auto *parts_command =
        app.add_subcommand("fetch-parts", "Fetch what a recipe names by URL, the keys first");
    parts_command->add_option("--directory", parts_of_recipe.directory)->required();
    parts_command->add_option("--key", parts_of_recipe.keys, "NAME URL SHA256 SIZE APT-SOURCE");
    parts_command->add_option("--file", parts_of_recipe.files, "NAME URL SHA256 SIZE PATH MODE");
    parts_command->add_option("--http-proxy", parts_of_recipe.http_proxy);
    parts_command->add_option("--https-proxy", parts_of_recipe.https_proxy);

    CLI11_PARSE(app, argc, argv);
    try {
        if (*tar_command) {
            tar_to_ext4.run(report);
        } else if (*kernel_command) {
            take_kernel(package, report);
        } else if (*import_command) {
            import_kernel(import, report);
        } else if (*oci_command) {
            oci.max_bytes = parse_byte_size(oci_max_size);
            oci.registries.insecure_registries = {insecure.begin(), insecure.end()};
            for (const auto &mirror : mirrors) {
                const auto [registry, place] = split_mirror(mirror);
                oci.registries.mirrors[registry].push_back(place);
            }
            write_oci_image(oci, report);
        } else if (*rootfs_command) {
            take_rootfs_file(rootfs, report);
        } else if (*list_command) {
            list_blob_cache(cache, report);
        } else if (*prune_command) {
            prune_blob_cache(
                cache, unused_for ? std::optional{std::chrono::seconds{*unused_for}} : std::nullopt,
                report);
        } else if (*parts_command) {
            parts_of_recipe.run(report);
        } else if (bundles.wanted()) {
            bundles.run(report);
        } else if (*catalog_command) {
            fetch_catalog(catalog, report);
        } else if (*initramfs_command) {
            write_initramfs(parts, report);
        } else {
            ext4::format_empty_disk(disk, parse_byte_size(disk_size), disk_label);
            report.result(nlohmann::json::object());
        }
        return 0;
    } catch (const Error &error) {
        report.error(error);
    } catch (const std::bad_alloc &) {
        report.error(Error{ErrorCode::LimitsExceeded, "out of memory"});
    } catch (const std::exception &error) {
        report.error(Error{ErrorCode::Internal, error.what()});
    }
    return 1;
}

} // namespace
} // namespace banger::image

int main(int argc, char **argv) {
    try {
        return banger::image::run(argc, argv);
    } catch (...) {
        return 1; // standard output is gone: nobody to tell
    }
}
