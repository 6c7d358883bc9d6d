// banger-image-worker: what blocks, or reads what others made, in a process of its own. One task
// per run. Progress and the result are JSON lines on standard output (report.hpp).

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "daemon/ext4/empty_disk.hpp"
#include "daemon/ext4/writer.hpp"
#include "daemon/image/worker/bundles.hpp"
#include "daemon/image/worker/catalog_fetch.hpp"
#include "daemon/image/worker/initramfs.hpp"
#include "daemon/image/worker/kernel_package.hpp"
#include "daemon/image/worker/oci_image.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/image/worker/report.hpp"
#include "daemon/image/worker/tar_import.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <clocale>
#include <exception>
#include <new>

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

std::pair<std::string, std::string> split_mirror(const std::string &text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
        fail(ErrorCode::InvalidArgument, "the mirror {:?} is not REGISTRY=MIRROR", text);
    }
    return {text.substr(0, equals), text.substr(equals + 1)};
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

    CLI11_PARSE(app, argc, argv);
    try {
        if (*tar_command) {
            tar_to_ext4.run(report);
        } else if (*kernel_command) {
            take_kernel(package, report);
        } else if (*oci_command) {
            oci.max_bytes = parse_byte_size(oci_max_size);
            oci.registries.insecure_registries = {insecure.begin(), insecure.end()};
            for (const auto &mirror : mirrors) {
                const auto [registry, place] = split_mirror(mirror);
                oci.registries.mirrors[registry].push_back(place);
            }
            write_oci_image(oci, report);
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
