#include "daemon/image/worker/bundles.hpp"

#include "base/disk_room.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/bundle/download.hpp"
#include "daemon/bundle/pack.hpp"
#include "daemon/bundle/unpack.hpp"
#include "daemon/image/run_config_json.hpp"
#include "daemon/image/worker/kernel_directory.hpp"
#include "daemon/image/worker/output_file.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace banger::image {
namespace {

namespace fs = std::filesystem;
using bundle::Kind;
using nlohmann::json;

/// What a kernel's manifest.json says of this host's copy alone.
constexpr auto own_keys =
    std::to_array<std::string_view>({"format", "name", "digest", "size", "created", "files",
                                     "source", "bundle", "newest_of_suite"});

UniqueFd make_member(const fs::path &directory, const std::string &member) {
    const fs::path path = directory / member;
    make_private_directories(path.parent_path());
    return open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

json image_result(const bundle::Manifest &manifest) {
    const bundle::Member &rootfs = manifest.members.front();
    try {
        RunConfig run;
        if (const auto found = manifest.about.find("run"); found != manifest.about.end()) {
            run = run_config_from(*found);
        }
        std::vector<std::string> packages;
        if (const auto found = manifest.about.find("packages"); found != manifest.about.end()) {
            found->get_to(packages);
        }
        return {{"size", rootfs.size},
                {"digest", image_digest(rootfs.sha256, run)},
                {"run", to_json(run)},
                {"packages", packages}};
    } catch (const json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "{} of the bundle: \"about\" of an image: {}",
             bundle::manifest_name, error.what());
    }
}

/// Each of the modules that the initramfs is to load must have come with the bundle.
void require_boot_modules(const bundle::Manifest &manifest, const fs::path &directory) {
    const std::string order = read_file(directory / "boot-modules/order");
    for (std::string_view rest = order; !rest.empty();) {
        const auto end = rest.find('\n');
        const std::string path = fmt::format("boot-modules/{}", rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (std::none_of(manifest.members.begin(), manifest.members.end(),
                         [&](const bundle::Member &member) { return member.path == path; })) {
            fail(ErrorCode::ImageCorrupt,
                 "the bundle has no {:?}, which its boot-modules/order names", path);
        }
    }
}

json kernel_result(const bundle::Manifest &manifest, const fs::path &directory) {
    require_boot_modules(manifest, directory);
    json result = describe_kernel(directory);
    result["about"] = manifest.about;
    return result;
}

json manifest_in(const fs::path &directory) {
    const fs::path file = directory / bundle::manifest_name;
    json manifest = json::parse(read_file(file), nullptr, false);
    if (!manifest.is_object()) {
        fail(ErrorCode::ImageCorrupt, "{} is damaged", file.string());
    }
    return manifest;
}

bundle::Manifest image_manifest(const fs::path &directory, const bundle::OnBytes &on_bytes) {
    const json image = manifest_in(directory);
    bundle::Manifest manifest = bundle::describe(directory, Kind::Image, {"rootfs.ext4"}, on_bytes);
    try {
        RunConfig run;
        if (const auto found = image.find("run"); found != image.end()) {
            run = run_config_from(*found);
        }
        // What was published once is not to be something else.
        if (image_digest(manifest.members.front().sha256, run) !=
            image.at("digest").get<std::string>()) {
            fail(ErrorCode::ImageCorrupt, "{} is not what it was when the image was made",
                 (directory / "rootfs.ext4").string());
        }
        manifest.about = {{"run", to_json(run)}, {"packages", image.at("packages")}};
    } catch (const json::exception &error) {
        fail(ErrorCode::ImageCorrupt, "the manifest in {} is damaged: {}", directory.string(),
             error.what());
    }
    return manifest;
}

bundle::Manifest kernel_manifest(const fs::path &directory, const bundle::OnBytes &on_bytes) {
    std::vector<std::string> paths{"vmlinux"};
    for (const char *optional : {"modules.ext4", "initrd"}) {
        if (fs::exists(directory / optional)) {
            paths.emplace_back(optional);
        }
    }
    for (const auto &entry : fs::directory_iterator{directory / "boot-modules"}) {
        paths.push_back("boot-modules/" + entry.path().filename().string());
    }
    std::sort(paths.begin(), paths.end());
    const json kernel = manifest_in(directory);
    bundle::Manifest manifest = bundle::describe(directory, Kind::Kernel, paths, on_bytes);
    for (const auto &[key, value] : kernel.items()) {
        if (std::find(own_keys.begin(), own_keys.end(), key) == own_keys.end()) {
            manifest.about[key] = value;
        }
    }
    return manifest;
}

} // namespace

void fetch_bundle(const BundleFetch &fetch, Report &report) {
    const oci::BlobCache cache{fetch.cache};
    const auto download =
        bundle::Download::open(fetch.file, cache, [&](std::uint64_t done, std::uint64_t total) {
            report.bytes(done, total);
        });
    const std::string what = "the bundle " + fetch.file.url;
    // What it unpacks to is hardly ever smaller.
    const std::array room{NeededRoom{fetch.cache, download->bytes_to_fetch()},
                          NeededRoom{fetch.output, fetch.file.size}};
    require_room(what, room);
    ArchiveReader tar{[&] { return download->read(); }, ArchiveReader::Format::Tar, what};
    const auto manifest = bundle::unpack(tar, fetch.kind, [&](const std::string &member) {
        return make_member(fetch.output, member);
    });
    download->finish();
    report.result(fetch.kind == Kind::Image ? image_result(manifest)
                                            : kernel_result(manifest, fetch.output));
}

void pack_bundle(const BundlePacking &packing, Report &report) {
    OutputFile file{packing.output, packing.replace};
    const bundle::OnBytes on_bytes = [&](std::uint64_t done, std::uint64_t total) {
        report.bytes(done, total);
    };
    const auto manifest = packing.kind == Kind::Image
                              ? image_manifest(packing.directory, on_bytes)
                              : kernel_manifest(packing.directory, on_bytes);
    const bundle::Packed packed = bundle::pack(packing.directory, manifest, file.fd(), on_bytes);
    file.publish();
    report.result({{"size", packed.size}, {"sha256", packed.sha256}});
}

} // namespace banger::image
